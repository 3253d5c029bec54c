// A run of `policy check` as a whole: what it ends with, what it says it did not look at, waivers, patches, annotations.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/outcomes.ts';
import { policyCheck } from '../../src/cli/policy-check.ts';

function policy(spec: string): string {
  return `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: backend, namespace: backend}\nspec:\n  endpointSelector: {}\n${spec}\n`;
}
const GOOD = policy('  ingress: [{}]');
const WARNS = policy('  ingress: [{fromEndpoints: []}]');
const WRONG = policy('  ingress: [{fromEntities: [Cluster]}]');

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'policy-run-'));
});
afterEach(() => rmSync(dir, { recursive: true }));
function write(name: string, text: string | Uint8Array): string {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

type More = Partial<Parameters<typeof policyCheck>[0]>;
async function check(files: readonly string[], more: More & { readonly input?: string } = {}): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const { input = '', ...rest } = more;
  const options = { files, format: 'words' as const, stdin: Readable.from([Buffer.from(input)]), signal: AbortSignal.timeout(20_000) };
  const code = await policyCheck({ ...options, ...rest, print: (line) => lines.push(line) });
  return { code, out: lines.join('\n') };
}

describe('never green for nothing', () => {
  it.each([
    ['an empty pipe', '', EXIT.empty],
    ['comments', '# nothing\n', EXIT.empty],
    ['other kinds alone', 'kind: ConfigMap\napiVersion: v1\n', EXIT.empty],
    ['what is no YAML', 'a: [', EXIT.unreadable],
    ['a template', `${GOOD}{{- if .Values.on }}\n  egress: [{}]\n{{- end }}`, EXIT.partly],
  ])('%s', async (_what, input, code) => {
    const found = await check(['-'], { input });
    expect(found.code).toBe(code);
    expect(found.out).not.toContain('✓');
  });
  it('a hook that is given whatever was changed may say that nothing is no failure', async () => {
    expect((await check(['-'], { input: 'kind: ConfigMap\napiVersion: v1\n', allowEmpty: true })).code).toBe(EXIT.fine);
  });
  it('says how much was read, and what was passed over', async () => {
    write('a.yaml', `${GOOD}---\nkind: ConfigMap\napiVersion: v1\n`);
    write('values.yaml', 'a: 1\n');
    expect((await check([dir])).out).toContain('1 text read, 1 files without policies passed over, 1 objects of other kinds.');
  });
  it('says what depends on placeholders and was not checked', async () => {
    const { code, out } = await check(['-'], { input: policy('  ingress: [{fromEntities: [${WHO}]}]') });
    expect(code).toBe(EXIT.fine);
    expect(out).toContain('Not checked: 1 values that are placeholders');
  });
});

describe('one reader for all', () => {
  it.each([
    ['UTF-16 with its mark', Buffer.from(`\u{FEFF}${WRONG}`, 'utf16le')],
    ['UTF-8 with its mark', Buffer.from(`\u{FEFF}${WRONG}`)],
    [
      'a list that the API server gives',
      `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList\nitems:\n- ${WRONG.split('\n').slice(2).join('\n  ')}`,
    ],
    [
      'JSON',
      JSON.stringify({
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'a' },
        spec: { endpointSelector: {}, ingress: [{ fromEntities: ['Cluster'] }] },
      }),
    ],
    ['a merge', `x-base: &base {fromEntities: [Cluster]}\n${WRONG}`.replace('[{fromEntities: [Cluster]}]', '[{<<: *base}]')],
  ])('%s', async (_what, text) => {
    const { code, out } = await check([write('policy.yaml', text)]);
    expect(code).toBe(EXIT.found);
    expect(out).toContain('error schema');
  });
});

describe('what fails a check', () => {
  it.each([
    ['error', EXIT.fine],
    ['warning', EXIT.found],
    ['note', EXIT.found],
    ['never', EXIT.fine],
  ] as const)('a warning, with --fail-on %s', async (failOn, code) => {
    expect((await check([write('warns.yaml', WARNS)], { failOn })).code).toBe(code);
  });
  it('nothing, with --fail-on never', async () => {
    expect((await check([write('wrong.yaml', WRONG)], { failOn: 'never' })).code).toBe(EXIT.fine);
  });
});

describe('waivers', () => {
  const waived = (waiver: string): string => write('waived.yaml', WRONG.replace('  ingress', `  # meshops:allow ${waiver}\n  ingress`));
  it('take a finding out where they give a reason, and the reason is told', async () => {
    const { code, out } = await check([waived('schema because the operator rewrites it')]);
    expect(code).toBe(EXIT.fine);
    expect(out).toContain('schema: the operator rewrites it');
    expect(out).not.toContain('error schema');
  });
  it('count for nothing without a reason', async () => {
    const { code, out } = await check([waived('schema')]);
    expect(code).toBe(EXIT.found);
    expect(out).toContain('gives no reason');
  });
  it('are told where there is nothing to waive', async () => {
    expect((await check([waived('http-glob because it was there once')])).out).toContain('There is nothing here for which http-glob');
  });
});

describe('kustomize', () => {
  const PATCH = 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: backend}\nspec: {description: patched}\n';
  it('patches that a kustomization names are known as such', async () => {
    write('base.yaml', GOOD);
    write('overlay/patch.yaml', PATCH);
    write(
      'overlay/kustomization.yaml',
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\npatches:\n  - path: patch.yaml\n',
    );
    const { code, out } = await check([dir]);
    expect(code).toBe(EXIT.fine);
    expect(out).toContain('note kustomize-patch');
    expect(out).toContain('Not checked: 1 patches for kustomize.');
  });
  it('and so is one with a directive; without either it is a policy that lacks its parts', async () => {
    expect((await check([write('patch.yaml', PATCH.replace('spec: {', 'spec: {$patch: merge, '))])).code).toBe(EXIT.fine);
    expect((await check([write('alone.yaml', PATCH)])).code).toBe(EXIT.found);
  });
});

it('annotations of GitHub Actions stand at the line, on one line each', async () => {
  const file = write('wrong.yaml', WRONG);
  const { out, code } = await check([file], { format: 'github' });
  expect(code).toBe(EXIT.found);
  expect(out.split('\n')[0]).toMatch(
    new RegExp(`^::error file=${file},line=6,col=\\d+,endLine=6,endColumn=\\d+,title=schema::The server refuses`),
  );
});
