import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/adding-a-verb.md'), 'utf8');
const blocks = [...PAGE.matchAll(/^```(ts|diff) title=(\S+)\n([\s\S]*?)^```$/gm)].map(([, kind, path = '', text = '']) => ({
  kind,
  path,
  text,
}));
const copy = mkdtempSync(join(tmpdir(), 'meshops-verb-'));

beforeAll(() => {
  for (const name of [
    'src',
    'activities',
    'workflows',
    'test/messages',
    'test/rooms.test.ts',
    'test/slack',
    'test/support',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const { kind, path, text } of blocks) {
    const file = join(copy, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, kind === 'ts' ? text : patched(readFileSync(file, 'utf8'), text));
  }
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Each `-` line is replaced by the `+` lines; one that stands before any `-` goes to the top. Throws where a line is not there. */
function patched(text: string, diff: string): string {
  const lines = diff.trim().split('\n');
  const [top, gone, come] = [
    lines.filter((line) => line.startsWith('+import')),
    lines.filter((line) => line.startsWith('-')),
    lines.filter((line) => /^\+(?!import)/.test(line)),
  ];
  const from = gone.map((line) => line.slice(1)).join('\n');
  expect(text, 'the page shows a line that the list no longer has').toContain(from);
  return [...top.map((line) => line.slice(1)), text.replace(from, come.map((line) => line.slice(1)).join('\n'))].join('\n');
}

it('takes less than two hundred lines, in its own folders and one list', () => {
  const added = blocks.filter(({ kind }) => kind === 'ts');
  expect(added.flatMap(({ text }) => text.trimEnd().split('\n')).length).toBeLessThan(200);
  expect(blocks.map(({ path }) => path)).toEqual(['src/domain/restart/verb.ts', 'activities/restart/steps.ts', 'src/domain/verb.ts']);
});

it('has the types of the product', { timeout: 300_000 }, () => {
  const files = blocks.map(({ path }) => path);
  writeFileSync(
    join(copy, 'tsconfig.verb.json'),
    JSON.stringify({ extends: './tsconfig.json', include: [...files, 'test/messages/verbs.test.ts'] }),
  );
  expect(run('tsc', ['--noEmit', '-p', 'tsconfig.verb.json'])).toBe('');
});

it('passes the table test: each phase and outcome in its own words', { timeout: 300_000 }, () => {
  expect(run('vitest', ['run', '--project', 'fast', 'test/messages/verbs.test.ts'])).toMatch(/messages of the verb restart|Tests/);
});

function run(tool: string, args: readonly string[]): string {
  try {
    return execFileSync(join(ROOT, 'node_modules/.bin', tool), args, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${tool} failed in the copy:\n${stdout}\n${stderr}`);
  }
}
