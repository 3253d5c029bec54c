import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { cgroupMount } from '../../../playground/real/able.ts';

function lines(program: string, ...args: readonly string[]): readonly string[] {
  return spawnSync(program, args, { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
    .toSorted((one, other) => one.localeCompare(other));
}

/** What real nodes could leave, as this process sees it. */
export function machine() {
  return {
    links: lines('ip', '-o', 'link').map((line) => line.split(': ')[1]),
    namespaces: lines('ip', 'netns', 'list'),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .toSorted((one, other) => one.localeCompare(other)),
    cgroups: readdirSync(cgroupMount() ?? '/').filter((name) => name.startsWith('meshops-real-')),
    programs: (JSON.parse(lines('bpftool', '-j', 'prog', 'show').join('') || '[]') as unknown[]).length,
    pins: readdirSync('/sys/fs/bpf'),
  };
}

/** Processes that have this in their environment. */
export function marked(mark: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'environ'), 'utf8').includes(mark);
      } catch {
        // It ended in between.
        return false;
      }
    });
}

/** The kernel takes namespaces apart, and frees their programs, a little after the last process in them has ended. */
export function nothingLeft(mark: string, before: ReturnType<typeof machine>): Promise<void> {
  return expect.poll(() => [marked(mark), machine()], { timeout: 30_000, interval: 200 }).toEqual([[], before]);
}
