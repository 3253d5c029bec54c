import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyCheck } from '../../src/cli/policy-check.ts';

function policy(spec: string): string {
  return `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: backend, namespace: backend}\nspec:\n  endpointSelector: {}\n  ${spec}\n`;
}
const GOOD = policy('ingress: [{}]');
const OPEN = policy('ingress: []');
const ODD = policy('ingress: [{fromEndpoints: []}]');

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'policy-check-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

async function check(
  files: readonly string[],
  format: 'words' | 'json' | 'sarif' = 'words',
  stdin = '',
): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const input = (async function* () {
    yield Buffer.from(stdin);
  })();
  const code = await policyCheck({ files, format, stdin: input, signal: AbortSignal.timeout(10_000), print: (line) => lines.push(line) });
  return { code, out: lines.join('\n') };
}

describe('exit code and words', () => {
  it('0 for a policy that says what it means, and says what was not checked', async () => {
    const { code, out } = await check([write('good.yaml', GOOD)]);
    expect(code).toBe(0);
    expect(out).toContain('✓ 1 policy: nothing to say.');
    expect(out).toContain('dry-run against its own is still to come');
  });

  it('1 for an error, at its line and column, with the lines to write instead', async () => {
    const file = write('open.yaml', OPEN);
    const { code, out } = await check([file]);
    expect(code).toBe(1);
    expect(out).toContain(`${file}:6:3 error empty-sections spec.ingress`);
    expect(out).toContain('    Deny by default (line 6):\n    |   ingress:\n    |     - {}');
  });

  it('0 for a warning', async () => {
    const { code, out } = await check([write('odd.yaml', ODD)]);
    expect(code).toBe(0);
    expect(out).toContain('warning empty-peers');
    expect(out).toContain('✓ 1 policy: 1 warning.');
  });

  it('2 for what cannot be read, and the rest is checked all the same', async () => {
    const { code, out } = await check([join(dir, 'nowhere.yaml'), write('open.yaml', OPEN)]);
    expect(code).toBe(2);
    expect(out).toContain('nowhere.yaml: It cannot be read: ENOENT');
    expect(out).toContain('error empty-sections');
  });

  it('takes stdin', async () => {
    expect(await check(['-'], 'words', OPEN)).toMatchObject({ code: 1, out: expect.stringContaining('-:6:3 error empty-sections') });
  });

  it('stops by the signal while it waits for stdin', async () => {
    const stopping = new AbortController();
    const silent = (async function* (): AsyncGenerator<Uint8Array> {
      await new Promise(() => {});
      yield Buffer.from('');
    })();
    const checking = policyCheck({ files: ['-'], format: 'words', stdin: silent, signal: stopping.signal, print: () => {} });
    stopping.abort(new Error('stopped'));
    await expect(checking).rejects.toThrow('stopped');
  });

  it('walks a folder: policies only, no hidden files, no links', async () => {
    mkdirSync(join(dir, 'deep'));
    mkdirSync(join(dir, '.git'));
    write('deep/open.yml', OPEN);
    write('.git/open.yaml', OPEN);
    write('chart.yaml', 'a: {{ .Values.x }}\n');
    write('notes.txt', OPEN);
    symlinkSync(join(dir, 'deep'), join(dir, 'link'));
    const { code, out } = await check([dir]);
    expect(code).toBe(1);
    expect(out).toContain('✗ 1 policy: 1 error.');
  });

  it('refuses a huge file without reading on', async () => {
    const { code, out } = await check([write('huge.yaml', `${OPEN}# ${'x'.repeat(17 * 1024 * 1024)}`)]);
    expect(code).toBe(2);
    expect(out).toContain('too-large');
  });

  it('never sends control characters of a file to the terminal', async () => {
    const { out } = await check([write('evil.yaml', GOOD.replace('spec:', '"\\e[2J": 1\nspec:'))]);
    expect(out).toContain('unknown-field');
    expect(out).not.toContain('\u001b');
  });
});

describe('for machines', () => {
  it('JSON: one line', async () => {
    const { out } = await check([write('open.yaml', OPEN), write('good.yaml', GOOD)], 'json');
    expect(JSON.parse(out)).toMatchObject({
      files: 2,
      policies: 2,
      unreadable: [],
      findings: [
        { rule: 'empty-sections', severity: 'error', line: 6, column: 3, fix: { patch: [{ op: 'replace', path: '/spec/ingress' }] } },
      ],
    });
  });

  it('SARIF 2.1.0: rules, places, fixes', async () => {
    const file = write('open policy.yaml', OPEN);
    const { out, code } = await check([file], 'sarif');
    const log = JSON.parse(out) as Sarif;
    expect(code).toBe(1);
    expect(log.version).toBe('2.1.0');
    const [run] = log.runs;
    const [result] = run.results;
    expect(run.tool.driver.rules[result.ruleIndex]?.id).toBe('empty-sections');
    expect(new Set(run.tool.driver.rules.map(({ id }) => id)).size).toBe(run.tool.driver.rules.length);
    const artifactLocation = { uri: `file://${file.replace(' ', '%20')}` };
    expect(result).toMatchObject({
      level: 'error',
      locations: [{ physicalLocation: { artifactLocation, region: { startLine: 6, startColumn: 3, endLine: 6, endColumn: 10 } } }],
      fixes: [
        {
          description: { text: 'Deny by default' },
          artifactChanges: [
            {
              artifactLocation,
              replacements: [
                {
                  deletedRegion: { startLine: 6, startColumn: 1, endLine: 6, endColumn: 14 },
                  insertedContent: { text: '  ingress:\n    - {}' },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it('SARIF says what could not be read', async () => {
    const { out, code } = await check(['nowhere.yaml'], 'sarif');
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      runs: [
        { results: [], invocations: [{ executionSuccessful: false, toolExecutionNotifications: [{ level: 'error' }, { level: 'note' }] }] },
      ],
    });
  });
});

interface Sarif {
  readonly version: string;
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
      readonly results: readonly [{ readonly ruleIndex: number }];
    },
  ];
}
