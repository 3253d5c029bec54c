/** The cluster's own DNS, as kubeadm sets it up: not part of the demo's manifests, since real clusters have theirs. */
import type { Kube } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import type { KubeObject } from './kube/types.ts';

const labels = { 'k8s-app': 'kube-dns' };
const ports = [
  { name: 'dns', containerPort: 53, protocol: 'UDP' },
  { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
];

const objects: readonly KubeObject[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace: 'kube-system', labels },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'coredns', image: 'registry.k8s.io/coredns/coredns:v1.12.1', ports }] },
      },
    },
  } as KubeObject,
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels },
    spec: {
      selector: labels,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 'dns' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 'dns-tcp' },
      ],
    },
  } as KubeObject,
];

/** Writes the DNS pods' Deployment and Service. */
export async function ensureClusterDns(kube: Kube): Promise<void> {
  const [deployment, service] = objects;
  if (deployment) await kube.apply(resources.deployments, deployment);
  if (service) await kube.apply(resources.services, service);
}
