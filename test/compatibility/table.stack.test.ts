import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingPaths } from '../../playground/compatibility/crds.ts';
import { compareProtos } from '../../playground/compatibility/protos.ts';
import { ciliumSources } from '../../playground/compatibility/sources.ts';
import { ciliumTable, PAGE, withTable } from '../../playground/compatibility/table.ts';
import { pathOf, textOf } from '../manifests/files.ts';

const { signal } = new AbortController();

describe('docs/compatibility.md', () => {
  it('says what the lines of Cilium have (else: npm run compatibility)', async () => {
    const page = textOf(PAGE);
    expect(page).toBe(withTable(page, await ciliumTable(process.env, signal)));
  });

  it('would say what is missing, and what means something else', async () => {
    const sources = await ciliumSources('1.20.2', process.env, signal);
    const changed = mkdtempSync(join(tmpdir(), 'meshops-compatibility-'));
    await cp(sources, changed, { recursive: true });
    const flow = join(changed, 'protos/flow/flow.proto');
    const text = readFileSync(flow, 'utf8')
      .replace('string node_name = 11;', 'string node_name = 12011;')
      .replace('policy_log = 21006', 'policy_words = 21006');
    writeFileSync(flow, text);
    const { missing, changed: other } = await compareProtos(pathOf('src/clients/hubble/proto'), join(changed, 'protos'));
    expect(missing).toEqual(['flow.Flow.policy_log']);
    expect(other).toEqual(['flow.Flow.node_name (12011 single string instead of 11 single string)']);
    const crd = join(changed, 'crds/ciliumnodes.yaml');
    writeFileSync(crd, readFileSync(crd, 'utf8').replaceAll('addresses:', 'places:'));
    expect(await missingPaths(join(changed, 'crds'))).toEqual(['ciliumnodes: spec.addresses']);
  });
});
