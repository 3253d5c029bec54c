import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { doctor } from '../../src/cli/doctor.ts';
import { readEnvironment } from '../../src/config/environment.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

let files = 0;
const KEY = `k1:${randomBytes(32).toString('base64')}`;

/** What doctor says where nothing answers: only the line of the payloads and the count of failures differ by what is tried here. */
async function examined({ key, allowPlaintext }: { readonly key?: string; readonly allowPlaintext?: boolean }) {
  const configPath = join(dir, `meshops-${++files}.yaml`);
  writeFileSync(
    configPath,
    stringify({
      clusters: { demo: { kubernetes: { kubeconfig: join(dir, 'none') }, hubble: { agents: [{ node: 'a', address: '127.0.0.1:1' }] } } },
      channels: [{ id: 'C0MESH', cluster: 'demo' }],
      identities: { rules: [{ email: '*@example.com' }] },
      gates: [],
      slack: { mode: 'http', teamIds: ['T0MESHOPS'] },
      temporal: { address: '127.0.0.1:1', namespace: 'default', ...(allowPlaintext !== undefined && { allowPlaintext }) },
      audit: { database: join(dir, `audit-${files}.db`) },
    }),
  );
  const lines: string[] = [];
  const environment = readEnvironment({ SLACK_SIGNING_SECRET: 'x', ...(key && { MESHOPS_PAYLOAD_KEY: key }) });
  const code = await doctor({ environment, configPath, signal: AbortSignal.timeout(20_000), print: (line) => lines.push(line) });
  const failed = lines.filter((line) => line.startsWith('✗')).length;
  return { code, failed, payloads: lines.find((line) => line.includes(' payloads: ')) ?? lines.join('\n') };
}

describe('doctor about what Temporal stores', () => {
  // Side by side: each waits for a Temporal that is not there.
  it.concurrent('fails without a key, and says what to set', async () => {
    const [unset, meant] = await Promise.all([examined({}), examined({ allowPlaintext: true })]);
    expect(unset.payloads).toMatch(/^✗ payloads: MESHOPS_PAYLOAD_KEY is not set: .* readable .* temporal\.allowPlaintext: true/);
    expect(unset.code).toBe(1);
    expect(meant.payloads).toBe('✓ payloads: readable for whoever reads Temporal, as temporal.allowPlaintext says');
    expect(unset.failed - meant.failed).toBe(1);
  });

  it.concurrent('passes with a key, never prints it, and says where plaintext is taken beside it', async () => {
    const [keyed, both, wrong] = await Promise.all([
      examined({ key: KEY }),
      examined({ key: KEY, allowPlaintext: true }),
      examined({ key: 'not a key' }),
    ]);
    expect(keyed.payloads).toBe('✓ payloads: encrypted with one key');
    expect(both.payloads).toContain('what is not encrypted is taken as well');
    expect(wrong.payloads).toMatch(/^✗ payloads: MESHOPS_PAYLOAD_KEY: entry 1 must be/);
  });
});
