import { cp, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { runOrFail } from '../command.ts';
import { TOOLS_DIR, VERSIONS } from '../versions.ts';
import { requireGo } from './go.ts';
import type { Kitchen, Recipe } from './recipe.ts';

const CILIUM = 'github.com/cilium/cilium';
const GATEWAY_API = 'sigs.k8s.io/gateway-api';
const OPERATOR = 'github.com/prometheus-operator/prometheus-operator';

// `go mod download -json` prints one object after another: a stream, not an array.
const Downloaded = z.object({ Path: z.string(), Dir: z.string() });

/** Where the sources of modules lie that `folder` of the tools pins, by their paths. */
async function moduleFolders(
  kitchen: Kitchen,
  what: string,
  folder: string,
  modules: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const stdout = await runOrFail(what, 'the Go module proxy', {
    program: 'go',
    args: ['mod', 'download', '-json', ...modules],
    env: { ...kitchen.env, GOFLAGS: '', GOWORK: 'off', GO111MODULE: 'on' },
    signal: kitchen.signal,
    cwd: join(TOOLS_DIR, folder),
    say: () => kitchen.say('downloading modules'),
  });
  const objects = stdout.split(/^(?=\{)/m).filter((text) => text.trim() !== '');
  return new Map(objects.map((text) => Downloaded.parse(JSON.parse(text))).map((module) => [module.Path, module.Dir]));
}

/** Copies the files of one kind, keeping the folders between, and makes them writable: the module cache is read-only. */
async function copyKind(from: string, to: string, extension: string): Promise<void> {
  const names = (await readdir(from, { recursive: true })).filter((name) => name.endsWith(extension));
  for (const name of names) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    await cp(join(from, name), join(to, name));
  }
}

/** CRDs under `cilium/` and `gateway-api/`, Cilium's protos under `protos/` (their imports are relative to that folder). */
export const crds: Recipe = {
  title: `CRDs of Cilium ${VERSIONS.cilium} and Gateway API ${VERSIONS.gatewayApi}`,
  entry: `crds-cilium-${VERSIONS.cilium}-gateway-api-${VERSIONS.gatewayApi}`,
  files: ['cilium/ciliumnetworkpolicies.yaml', 'gateway-api/gateway.networking.k8s.io_httproutes.yaml', 'protos/observer/observer.proto'],
  verb: 'unpacked',
  fill: async (staging, kitchen) => {
    await requireGo(kitchen);
    const folders = await moduleFolders(kitchen, "Cilium's and the Gateway API's CRDs", 'crds', [CILIUM, GATEWAY_API]);
    const cilium = folders.get(CILIUM) ?? '';
    await copyKind(join(cilium, 'pkg/k8s/apis/cilium.io/client/crds/v2'), join(staging, 'cilium'), '.yaml');
    await copyKind(join(folders.get(GATEWAY_API) ?? '', 'config/crd/standard'), join(staging, 'gateway-api'), '.yaml');
    for (const api of ['flow', 'observer', 'peer', 'relay']) {
      await copyKind(join(cilium, 'api/v1', api), join(staging, 'protos', api), '.proto');
    }
  },
};

/** CRDs of the Prometheus operator, for the chart's ServiceMonitor and PrometheusRule. */
export const operatorCrds: Recipe = {
  title: `CRDs of the Prometheus operator ${VERSIONS.prometheusOperator}`,
  entry: `crds-prometheus-operator-${VERSIONS.prometheusOperator}`,
  files: ['monitoring.coreos.com_servicemonitors.yaml', 'monitoring.coreos.com_prometheusrules.yaml'],
  verb: 'unpacked',
  fill: async (staging, kitchen) => {
    await requireGo(kitchen);
    const folders = await moduleFolders(kitchen, "The Prometheus operator's CRDs", 'monitoring', [OPERATOR]);
    const folder = join(folders.get(OPERATOR) ?? '', 'example/prometheus-operator-crd');
    for (const name of operatorCrds.files) await cp(join(folder, name), join(staging, name));
  },
};
