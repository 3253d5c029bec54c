import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { examples, lintChart, renderChart } from '../../playground/chart/render.ts';
import { writtenWithHelm } from '../../playground/chart/written.ts';
import { type Clients, findClients } from '../../playground/cluster/binaries.ts';
import { loadCrds } from '../../playground/cluster/load.ts';
import { type Stack, startStack } from '../../playground/cluster/stack.ts';
import { VERSIONS } from '../../playground/cluster/versions.ts';
import { parseConfig } from '../../src/domain/config/parse.ts';
import type { Config } from '../../src/domain/config/schema.ts';
import { kubernetesIdentity } from '../../src/domain/config/use.ts';
import { applyTo } from '../manifests/apply.ts';
import { type Manifest, manifestsIn, pathOf, textOf } from '../manifests/files.ts';

const stop = new AbortController();
const { signal } = stop;
const files = await examples();
const kubeVersion = VERSIONS.kubernetes;
const scratch = mkdtempSync(join(tmpdir(), 'meshops-chart-'));
let stack: Stack;
let clients: Clients;

beforeAll(async () => {
  const progress = () => undefined;
  clients = await findClients({ env: process.env, os: process.platform, arch: process.arch, signal, progress });
  stack = await startStack({ signal, progress });
  await loadCrds(stack.kube.api, [clients.operatorCrds], signal);
  for (const name of ['backend', 'shop', 'search', 'meshops'])
    expect(await applied({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })).toBe('ok');
});

afterAll(async () => {
  await stack?.stop();
  stop.abort();
  rmSync(scratch, { recursive: true, force: true });
});

const applied = (manifest: Manifest, dryRun = false): Promise<string> => applyTo(stack.kube.api, manifest, { signal, dryRun });

/** The rendering of an example, with more values over it. */
async function rendered(example: string, over: object = {}, version: string = kubeVersion): Promise<readonly Manifest[]> {
  const more = join(scratch, 'more.yaml');
  writeFileSync(more, stringify(over));
  const values = [files.get(example) ?? example, more];
  return manifestsIn(await renderChart({ helm: clients.helm, values, kubeVersion: version }));
}

function configOf(manifests: readonly Manifest[]): Config | undefined {
  const map = manifests.find((one) => one.kind === 'ConfigMap' && !one.metadata.name.endsWith('-dashboards'));
  if (!map) return undefined;
  const { 'meshops.yaml': text = '' } = z.record(z.string(), z.string()).parse(map['data']);
  const parsed = parseConfig(parse(text));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

const Template = z.looseObject({ template: z.looseObject({ spec: z.looseObject({}) }) });

function impersonated(manifests: readonly Manifest[], resource: string): readonly string[] {
  const role = manifests.find((one) => one.kind === 'ClusterRole' && one.metadata.name.endsWith('-impersonate'));
  const Rules = z.array(z.object({ resources: z.array(z.string()), resourceNames: z.array(z.string()).default([]) }));
  const rules = Rules.parse(role?.['rules']);
  return [...new Set(rules.filter((rule) => rule.resources.includes(resource)).flatMap((rule) => rule.resourceNames))].toSorted();
}

describe.each([...files.keys()])('the chart with the values of %s', (example) => {
  it('passes helm lint', async () => {
    await lintChart({ helm: clients.helm, values: [files.get(example) ?? ''], kubeVersion });
  });

  it('is accepted by the API server, every field known', async () => {
    const manifests = await rendered(example);
    expect(manifests.length).toBeGreaterThan(10);
    for (const manifest of manifests) expect([manifest.kind, manifest.metadata.name, await applied(manifest)]).toContain('ok');
  });

  it("makes pods that a namespace's restricted level admits", async () => {
    const level = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const strict = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'meshops', labels: level } };
    expect(await applied(strict)).toBe('ok');
    for (const deployment of (await rendered(example)).filter((one) => one.kind === 'Deployment')) {
      const { spec } = Template.parse(deployment['spec']).template;
      expect(await applied({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'trial', namespace: 'meshops' }, spec }, true)).toBe('ok');
    }
  });

  it('mounts every file that its configuration names, and is accepted by meshops itself', async () => {
    const manifests = await rendered(example);
    const config = configOf(manifests);
    const deployments = manifests.filter((one) => one.kind === 'Deployment');
    if (!config) return expect(deployments).toEqual([]);
    const mounts =
      JSON.stringify(deployments)
        .match(/"mountPath":"[^"]+"/g)
        ?.map((text) => text.slice(13, -1)) ?? [];
    const named = JSON.stringify(config).match(/\/etc\/meshops\/[a-z0-9./-]+/g) ?? [];
    expect(named.filter((path) => !mounts.some((folder) => path.startsWith(`${folder}/`)))).toEqual([]);
  });

  it('lets exactly the people be acted as whom meshops would act as', async () => {
    const manifests = await rendered(example);
    const config = configOf(manifests);
    if (!config) return;
    const Given = z.object({ rbac: z.object({ people: z.array(z.string()) }).default({ people: [] }) });
    const { people } = Given.parse(parse(textOf(`charts/meshops/examples/${example}.yaml`))).rbac;
    const addresses = [...people, ...config.identities.rules.map((rule) => rule.email).filter((email) => !email.startsWith('*'))];
    const users = addresses.map((email) => kubernetesIdentity(config, email)?.user ?? '');
    expect(impersonated(manifests, 'users')).toEqual([...new Set(users)].toSorted());
    const groups = config.identities.rules.flatMap((rule) => rule.groups);
    expect(impersonated(manifests, 'groups')).toEqual([...new Set(groups)].toSorted());
  });
});

describe('the chart', () => {
  it('is what manifests/base is a rendering of (else: npm run chart)', async () => {
    for (const [path, text] of await writtenWithHelm(clients.helm)) expect(textOf(path), path).toBe(text);
  });

  it('installs the company of docs/examples, put together as its page says', async () => {
    const [, command = ''] = /^(\(echo "config:".*)$/m.exec(textOf('docs/examples/README.md')) ?? [];
    const folder = join(scratch, 'company');
    cpSync(pathOf('docs/examples'), folder, { recursive: true });
    execFileSync('bash', ['-c', command], { cwd: folder });
    const values = [join(folder, 'values.yaml'), join(folder, 'config.yaml')];
    const manifests = manifestsIn(await renderChart({ helm: clients.helm, values, kubeVersion }));
    const config = configOf(manifests);
    const parsed = parseConfig(parse(textOf('docs/examples/meshops.yaml')));
    expect(parsed.ok && parsed.config).toEqual(config);
    for (const team of ['payments', 'platform'])
      expect(await applied({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: team } })).toBe('ok');
    for (const manifest of manifests) expect([manifest.kind, manifest.metadata.name, await applied(manifest)]).toContain('ok');
  });

  it('gives a worker of its own to each cluster, with that cluster alone in its hands', async () => {
    const workers = (await rendered('fleet')).filter((one) => one.metadata.name.startsWith('meshops-worker-') && one.kind === 'Deployment');
    expect(workers.map((one) => one.metadata.name)).toEqual(['meshops-worker-prod-eu', 'meshops-worker-prod-us', 'meshops-worker-staging']);
    for (const worker of workers) {
      const cluster = worker.metadata.name.slice('meshops-worker-'.length);
      const text = JSON.stringify(worker);
      expect(text).toContain(`"--cluster","${cluster}"`);
      for (const other of ['prod-eu', 'prod-us', 'staging'].filter((name) => name !== cluster)) {
        expect(text).not.toContain(`hubble-${other}`);
        expect(text).not.toContain(`kubeconfig-${other}`);
      }
    }
  });

  const rules = (rule: object) => ({ config: { identities: { rules: [rule] } } });

  it.each([
    ['a misspelt value', { bot: { replica: 3 } }, /replica/],
    ['a misspelt setting of meshops.yaml', { config: { objectives: { default: { slow: '1%' } } } }, /slow/],
    ['a cluster that is nowhere', { clusterSecrets: { elsewhere: { hubble: 'x' } } }, /no cluster of that name/],
    ['SQLite for several processes', { postgres: { enabled: false } }, /for one process/],
    ['somebody of Kubernetes itself', rules({ email: 'a@example.com', user: 'meshops:a', groups: ['system:masters'] }), /system:masters/],
    ['a person whom no rule is for', { rbac: { people: ['someone@elsewhere.example'] } }, /no rule of config.identities/],
  ])('refuses %s, and says which', async (_, over, said) => {
    await expect(rendered('base', over)).rejects.toThrow(said);
  });

  it("refuses people's own names where they could not be confined", async () => {
    await expect(rendered('own-names', {}, '1.35.0')).rejects.toThrow(/from Kubernetes 1\.36 on only/);
  });

  it('names people in small letters, as meshops does', async () => {
    const manifests = await rendered('base', rules({ email: 'Ada@Example.com', groups: [] }));
    expect(impersonated(manifests, 'users')).toEqual(['meshops:ada@example.com']);
    expect(configOf(manifests)?.identities.rules[0]).toMatchObject({ email: 'ada@example.com', user: 'meshops:{email}' });
  });
});
