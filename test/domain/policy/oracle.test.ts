import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compare, readCases } from '../../../playground/oracle/cases.ts';
import { client, cnp, server } from './cluster.ts';

// The cases and their answers, computed with Cilium's own engine, lie beside the checkout. A checkout that stands alone has none.
const beside = fileURLToPath(new URL('../../../../shared', import.meta.url));
const folder = process.env.MESHOPS_ORACLE ?? join(beside, 'oracle');
const standsAlone = process.env.MESHOPS_ORACLE === undefined && !existsSync(beside);
if (standsAlone) console.log(`Policy oracle: skipped, there is no ${folder}. Set MESHOPS_ORACLE to the folder of the cases.`);

describe.skipIf(standsAlone)("Cilium's own answers", () => {
  it.each(['basic-cases.jsonl', 'policy-cases.jsonl.gz'])('agree with the evaluator in every case of %s', async (name) => {
    const path = join(folder, name);
    expect(existsSync(path), `The policy cases are missing: ${path}. Put them there, or set MESHOPS_ORACLE to their folder.`).toBe(true);
    const told: string[] = [];
    const result = compare(await readCases(path), (id, words) => told.push(`${id}: ${words.join('; ')}`));
    console.log(`Policy oracle: ${result.agree} of ${result.cases} cases of ${name} agree`);
    expect(result.cases).toBeGreaterThan(0);
    expect(told.slice(0, 20)).toEqual([]);
    expect(result).toEqual({ cases: result.cases, agree: result.cases, disagree: [] });
  });
});

describe('the comparison', () => {
  const expected = {
    verdict: 'denied',
    egress: { allowed: true, enforced: false, selected: false, l4: 'allowed' },
    ingress: { allowed: false, enforced: true, selected: true, l4: 'denied' },
  } as const;
  const one = {
    id: 'one',
    policies: [cnp({ ingress: [{}] }), { kind: 'CiliumNetworkPolicy', metadata: { name: 'broken', namespace: 'back' } }],
    flow: { source: client, destination: server, protocol: 'TCP', destinationPort: 80 },
    expect: { ...expected, invalid: [{ policy: 'back/broken' }] },
  } as const;

  it('names the cases that disagree, in every member that is compared', () => {
    const wrong = [
      { ...one, id: 'verdict', expect: { ...one.expect, verdict: 'allowed' } },
      { ...one, id: 'egress', expect: { ...one.expect, egress: null } },
      { ...one, id: 'enforced', expect: { ...one.expect, ingress: { ...expected.ingress, enforced: false } } },
      { ...one, id: 'selected', expect: { ...one.expect, egress: { ...expected.egress, selected: true } } },
      { ...one, id: 'l4', expect: { ...one.expect, ingress: { ...expected.ingress, l4: 'allowed' } } },
      { ...one, id: 'l7', expect: { ...one.expect, ingress: { ...expected.ingress, l7: 'http' } } },
      { ...one, id: 'invalid', expect },
    ] as const;
    const cases = [one, ...wrong] as unknown as Parameters<typeof compare>[0];
    expect(compare(cases)).toEqual({ cases: 8, agree: 1, disagree: wrong.map(({ id }) => id) });
  });

  it('reads plain and compressed files, and names the line that is no JSON', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'meshops-oracle-'));
    try {
      const text = `${JSON.stringify(one)}\n\n${JSON.stringify({ ...one, id: 'two' })}\n`;
      await writeFile(join(folder, 'a.jsonl'), text);
      await writeFile(join(folder, 'a.jsonl.gz'), gzipSync(text));
      await writeFile(join(folder, 'bad.jsonl'), `${text}{`);
      expect(await readCases(join(folder, 'a.jsonl'))).toEqual(await readCases(join(folder, 'a.jsonl.gz')));
      expect((await readCases(join(folder, 'a.jsonl'))).map(({ id }) => id)).toEqual(['one', 'two']);
      await expect(readCases(join(folder, 'bad.jsonl'))).rejects.toThrow(/bad\.jsonl:4 is no JSON/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
