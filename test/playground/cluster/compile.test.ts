import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bar, buildProgress, compile } from '../../../playground/cluster/compile.ts';
import { progressText } from '../../../playground/cluster/progress.ts';
import { never, programs, scratch } from './scratch.ts';

test('a bar is as long whatever it shows', () => {
  expect([0, 0.5, 1, 2, -1].map(bar)).toEqual(['░░░░░░░░░░', '█████░░░░░', '██████████', '██████████', '░░░░░░░░░░']);
});

test('says what is fetched, how far the compiler is, about how long it will take, and that it links', () => {
  const said: string[] = [];
  let now = 1_000_000;
  const progress = buildProgress(
    (words) => said.push(words),
    () => now,
  );
  progress.fetched('go: downloading k8s.io/api v0.36.3');
  progress.fetched('go: downloading k8s.io/client-go v0.36.3');
  progress.counted(200);
  for (let package_ = 1; package_ <= 200; package_ += 1) {
    now += 1_000;
    progress.compiled(`example.com/p${package_}`);
  }
  expect(said.slice(0, 2)).toEqual(['fetching sources: 1 modules, now k8s.io/api', 'fetching sources: 2 modules, now k8s.io/client-go']);
  expect(said[2]).toBe('compiling ░░░░░░░░░░ 0/200');
  expect(said).toContain('compiling █████░░░░░ 100/200; ~2 min left');
  expect(said).toContain('compiling █████████░ 180/200; ~20 s left');
  const line = progressText({
    kind: 'tick',
    step: 'kube-apiserver 1.36.3',
    detail: 'compiling █████░░░░░ 1014/2028; ~20 min left',
    ms: 999_000,
  });
  expect(line.length).toBeLessThan(80);
  expect(said.at(-1)).toBe('linking, all 200 packages are compiled');
});

test('the Go command is asked what is left to compile first: what is compiled already is not counted', async () => {
  const dir = scratch();
  const go = `case "$1" in
    list) echo 'go: downloading a.example/b v1.0.0' >&2; echo a.example/b; echo a.example/c;;
    build) echo a.example/b >&2; echo a.example/c >&2; while [ $# -gt 1 ]; do [ "$1" = -o ] && echo built > "$2"; shift; done;;
    esac`;
  const said: string[] = [];
  const env = { PATH: programs(join(dir, 'bin'), { go }) };
  const output = join(dir, 'program');
  await compile({ what: 'it', cwd: dir, target: './it', output, env, signal: never, say: (words) => said.push(words) });
  expect(existsSync(output) && readFileSync(output, 'utf8')).toBe('built\n');
  expect(said).toEqual([
    'looking for what there is to compile',
    'fetching sources: 1 modules, now a.example/b',
    'compiling ░░░░░░░░░░ 0/2',
    expect.stringMatching(/^compiling █████░░░░░ 1\/2; ~\d+ s left$/),
    'linking, all 2 packages are compiled',
  ]);
});
