/** Applies YAML manifests server-side, in the order in which a cluster needs them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Kube } from './kube/client.ts';
import { byKind, resources } from './kube/resources.ts';
import type { KubeObject } from './kube/types.ts';

const rank = (object: KubeObject): number => ['Namespace', 'GatewayClass', 'Service', 'Gateway'].indexOf(object.kind ?? '') >>> 0;

/** Every object of a folder's YAML files. Kustomizations are for kubectl; rights are nothing to Cilium, whoever starts the cluster grants them. */
export function readManifests(folder: string): readonly KubeObject[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    .toSorted()
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .flatMap((document) => {
      const [problem] = 'errors' in document ? document.errors : [];
      if (problem) throw problem;
      const object = document.toJS() as KubeObject | null;
      return object && !object.apiVersion?.startsWith('rbac.authorization.k8s.io/') ? object : [];
    })
    .toSorted((one, other) => rank(one) - rank(other));
}

/** Applies a folder; throws on a kind that the simulator does not know. */
export async function applyManifests(kube: Kube, folder: string): Promise<void> {
  for (const object of readManifests(folder)) {
    const of = byKind[`${object.apiVersion}/${object.kind}`];
    if (!of)
      throw new Error(`The simulator does not know ${object.apiVersion} ${object.kind} ${object.metadata.name}. Nothing more was applied.`);
    await kube.apply(of, object);
  }
}

/**
 * The settings of a Cilium 1.20.2 with Hubble, Gateway API and WireGuard off, as its ConfigMap has them: the product reads its sight from
 * here.
 */
export const ciliumConfig: Readonly<Record<string, string>> = {
  'agent-health-port': '9879',
  'bpf-events-default-burst-limit': '0',
  'bpf-events-default-rate-limit': '0',
  'bpf-events-drop-enabled': 'true',
  'bpf-events-policy-verdict-enabled': 'true',
  'bpf-events-trace-enabled': 'true',
  'cluster-id': '0',
  'cluster-name': 'default',
  'enable-envoy-config': 'true',
  'enable-gateway-api': 'true',
  'enable-hubble': 'true',
  'enable-ipsec': 'false',
  'enable-ipv4': 'true',
  'enable-ipv6': 'false',
  'enable-l7-proxy': 'true',
  'enable-policy': 'default',
  'enable-wireguard': 'false',
  'external-envoy-proxy': 'true',
  'hubble-disable-tls': 'false',
  'hubble-event-buffer-capacity': '4095',
  'hubble-listen-address': ':4244',
  'hubble-metrics':
    'drop flow policy httpV2:labelsContext=source_namespace,source_workload,destination_namespace,destination_workload,traffic_direction',
  'hubble-metrics-server': ':9965',
  'hubble-socket-path': '/var/run/cilium/hubble.sock',
  'identity-change-grace-period': '5s',
  'identity-max-jitter': '2s',
  'kube-proxy-replacement': 'true',
  'monitor-aggregation': 'medium',
  'monitor-aggregation-flags': 'all',
  'monitor-aggregation-interval': '5s',
  'policy-audit-mode': 'false',
  'routing-mode': 'native',
};

/** Keys of cilium-config with their values. */
export type CiliumSettings = Readonly<Record<string, string>>;

/**
 * Writes the cilium-config ConfigMap, without touching it when it is there: a restart must not undo what someone set. Resolves with what it
 * says.
 */
export async function ensureCiliumConfig(kube: Kube, settings: CiliumSettings): Promise<CiliumSettings> {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cilium-config', namespace: 'kube-system' },
    data: { ...ciliumConfig, ...settings },
  };
  const existing = await kube.list<KubeObject & { readonly data?: CiliumSettings }>(resources.configMaps);
  const there = existing.items.find((each) => each.metadata.name === 'cilium-config' && each.metadata.namespace === 'kube-system');
  if (there) return there.data ?? {};
  await kube.apply(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } });
  await kube.apply(resources.configMaps, object);
  return object.data;
}
