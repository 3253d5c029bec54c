import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { encryptionRead } from '../../src/cli/encryption.ts';

const dir = mkdtempSync(join(tmpdir(), 'encryption-'));
afterAll(() => rmSync(dir, { recursive: true }));

const one = { kubernetes: { kubeconfig: join(dir, 'none') }, hubble: { relay: '127.0.0.1:1' } };
function configured(...names: readonly string[]): string {
  const path = join(dir, `${names.join('-')}.yaml`);
  writeFileSync(
    path,
    stringify(
      {
        clusters: Object.fromEntries(names.map((name) => [name, one])),
        channels: [{ id: 'C0MESH' }],
        identities: { rules: [] },
        gates: [],
        slack: { mode: 'http', teamIds: ['T0MESHOPS'] },
      },
      { aliasDuplicateObjects: false },
    ),
  );
  return path;
}

async function run(configPath: string, cluster?: string) {
  const lines: string[] = [];
  const signal = AbortSignal.timeout(10_000);
  const given = { what: 'status', json: false, configPath, signal, print: (line: string) => lines.push(line) } as const;
  const code = await encryptionRead({ ...given, ...(cluster !== undefined && { cluster }) });
  return { code, text: lines.join('\n') };
}

test('a cluster that is not configured, or not named where there are two, ends with 2 and the names', async () => {
  expect(await run(configured('demo'), 'prod')).toEqual({ code: 2, text: 'There is no cluster prod. There are demo.' });
  expect(await run(configured('demo'), 'toString')).toMatchObject({ code: 2 });
  expect(await run(configured('demo', 'prod'))).toEqual({ code: 2, text: 'Which cluster? There are demo, prod.' });
});

test('a configuration that cannot be read ends with 2', async () => {
  expect(await run(join(dir, 'nowhere.yaml'))).toMatchObject({ code: 2 });
});
