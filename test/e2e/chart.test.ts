import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import * as z from 'zod';
import { renderChart } from '../../playground/chart/render.ts';
import { type Clients, findClients } from '../../playground/cluster/binaries.ts';
import { VERSIONS } from '../../playground/cluster/versions.ts';
import { type ConfigOptions, configOf } from '../../playground/rig/config.ts';
import { type Rig, startRig } from '../../playground/rig/rig.ts';
import { play } from '../../playground/scenarios/play.ts';
import { SCENARIOS } from '../../playground/scenarios/registry.ts';
import { type Manifest, manifestsIn } from '../manifests/files.ts';

/**
 * The product started with the configuration that the chart renders, and every file where the rendered pod has it mounted: only the folders are
 * others, because there is no kubelet to mount them.
 */
const stop = new AbortController();
const { signal } = stop;
let clients: Clients;
let scratch: string;
let rig: Rig;

const Mounts = z.array(z.object({ name: z.string(), mountPath: z.string() }));
const Pod = z.object({
  template: z.object({ spec: z.object({ containers: z.array(z.object({ args: z.array(z.string()), volumeMounts: Mounts })) }) }),
});

function containerOf(manifests: readonly Manifest[]) {
  const deployment = manifests.find((one) => one.kind === 'Deployment');
  const [container] = Pod.parse(deployment?.['spec']).template.spec.containers;
  if (!container) throw new Error('The chart rendered no container.');
  return container;
}

async function render(options: ConfigOptions): Promise<readonly Manifest[]> {
  const {
    clusters,
    audit: _,
    ...config
  } = z
    .object({ clusters: z.record(z.string(), z.looseObject({ hubble: z.looseObject({}) })) })
    .loose()
    .parse(configOf(options));
  const demo = clusters['demo'];
  const { tls: _tls, ...hubble } = demo?.hubble ?? {};
  const values = {
    single: { enabled: true },
    postgres: { enabled: false },
    clusterSecrets: { demo: { hubble: 'meshops-hubble' } },
    namespaces: { backend: { operators: ['meshops:operators'] } },
    config: { ...config, clusters: { demo: { ...demo, hubble } } },
  };
  const file = join(scratch, 'values.yaml');
  await writeFile(file, stringify(values));
  return manifestsIn(await renderChart({ helm: clients.helm, values: [file], kubeVersion: VERSIONS.kubernetes }));
}

async function writeRendered(file: string, options: ConfigOptions): Promise<undefined> {
  const manifests = await render(options);
  const { args, volumeMounts } = containerOf(manifests);
  expect(args).toEqual(['run', '--config', '/etc/meshops/config/meshops.yaml']);
  const placeOf: Readonly<Record<string, string>> = {
    'hubble-demo': join(options.hubble.tls.caFile, '..'),
    data: join(options.database, '..'),
  };
  const map = manifests.find((one) => one.kind === 'ConfigMap');
  let text = z.record(z.string(), z.string()).parse(map?.['data'])['meshops.yaml'] ?? '';
  for (const { name, mountPath } of volumeMounts) {
    const place = placeOf[name];
    if (place !== undefined) text = text.replaceAll(`${mountPath}/`, `${place}/`);
  }
  expect(text).not.toMatch(/\/etc\/meshops|\/var\/lib/);
  for (const [setting, path] of Object.entries(options.hubble.tls)) expect([setting, text.includes(path)]).toEqual([setting, true]);
  await writeFile(file, text);
}

describe('the product with the configuration that the chart renders', () => {
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'meshops-chart-'));
    clients = await findClients({ env: process.env, os: process.platform, arch: process.arch, signal, progress: () => undefined });
    const options = { signal, progress: () => undefined, preset: 'ideal', seed: 1, pace: 'fast', split: false } as const;
    rig = await startRig({ ...options, writeConfig: writeRendered });
  });
  afterAll(async () => {
    await rig?.stop();
    stop.abort();
    await rm(scratch, { recursive: true, force: true });
  });

  it.each(['canary-5xx', 'policy-good'])('tells the story %s', async (name) => {
    const scenario = SCENARIOS.find((one) => one.name === name);
    if (!scenario) throw new Error(`There is no story ${name}.`);
    const { broken = '', ok, duplicates } = await play(rig, scenario, { seed: 1 });
    expect({ broken, ok, duplicates }).toEqual({ broken: '', ok: true, duplicates: 0 });
  });
});
