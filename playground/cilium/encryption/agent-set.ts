/** The agents' DaemonSet and its pods, as Cilium's chart makes them: the parts that are read of them. */
import type { Kube } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import type { KubeObject, Pod } from '../kube/types.ts';

export const agentNamespace = 'kube-system';
const labels = { 'k8s-app': 'cilium', 'app.kubernetes.io/name': 'cilium-agent', 'app.kubernetes.io/part-of': 'cilium' };
const image = 'quay.io/cilium/cilium:v1.20.2';

const podSpec = {
  hostNetwork: true,
  containers: [{ name: 'cilium-agent', image, command: ['cilium-agent'], args: ['--config-dir=/tmp/cilium/config-map'] }],
  initContainers: [{ name: 'config', image, command: ['cilium-dbg', 'build-config'] }],
};

/** True for the agents' own pods: they run on nodes, and are nobody's endpoint. */
export function isAgent({ metadata }: KubeObject): boolean {
  return metadata.namespace === agentNamespace && metadata.labels?.['k8s-app'] === labels['k8s-app'];
}

/** True for the DaemonSet that they belong to. */
export function isAgentSet({ metadata }: KubeObject): boolean {
  return metadata.namespace === agentNamespace && metadata.name === 'cilium';
}

export async function ensureAgentSet(kube: Kube): Promise<KubeObject> {
  return kube.apply(resources.daemonSets, {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'cilium', namespace: agentNamespace, labels },
    spec: {
      selector: { matchLabels: { 'k8s-app': 'cilium' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
      template: { metadata: { labels }, spec: podSpec },
    },
  } as KubeObject);
}

/** A pod of the set on one node. */
export function agentPod(set: KubeObject, node: string, name: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: 'cilium-',
      namespace: agentNamespace,
      labels,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'cilium', uid: set.metadata.uid ?? '', controller: true }],
    },
    spec: { ...podSpec, nodeName: node, serviceAccountName: 'default' },
  } as Pod;
}
