import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cgroupMount, whyNotReal } from '../../playground/real/able.ts';

/** Whatever becomes of the process that started real nodes, nothing of them is left on the machine. */
const PROGRAM = fileURLToPath(new URL('./support/nodes.ts', import.meta.url));

const lines = (program: string, ...args: readonly string[]): readonly string[] =>
  spawnSync(program, args, { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
    .toSorted((one, other) => one.localeCompare(other));

/** What real nodes could leave, as this process sees it. */
const machine = () => ({
  links: lines('ip', '-o', 'link').map((line) => line.split(': ')[1]),
  namespaces: lines('ip', 'netns', 'list'),
  mounts: readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .toSorted((one, other) => one.localeCompare(other)),
  cgroups: readdirSync(cgroupMount() ?? '/').filter((name) => name.startsWith('meshops-real-')),
  programs: (JSON.parse(lines('bpftool', '-j', 'prog', 'show').join('') || '[]') as unknown[]).length,
  pins: readdirSync('/sys/fs/bpf'),
});

/** Processes that have our mark in their environment. */
const marked = (mark: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'environ'), 'utf8').includes(mark);
      } catch {
        // It ended in between.
        return false;
      }
    });

describe.skipIf(whyNotReal(process.env) !== undefined)('after real nodes', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'nothing is left when what started them gets %s',
    async (signal) => {
      const before = machine();
      const mark = `MESHOPS_TEST_MARK=${signal}-${process.pid}`;
      const [name = '', value = ''] = mark.split('=');
      const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, [name]: value } });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const said = await new Promise<string>((resolve) => {
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          if (text.includes('\n')) resolve(text);
        });
        child.once('exit', () => resolve(`${text}\n`));
      });
      expect(JSON.parse(said)).toMatchObject({ pins: expect.any(Number), pods: 13 });
      expect(JSON.parse(said).pins).toBeGreaterThan(0);
      expect(marked(mark).length).toBeGreaterThan(3);
      child.kill(signal);
      await exited;
      // The kernel takes namespaces apart, and frees their programs, a little after the last process in them has ended.
      await expect.poll(() => [marked(mark), machine()], { timeout: 30_000, interval: 200 }).toEqual([[], before]);
    },
    300_000,
  );
});
