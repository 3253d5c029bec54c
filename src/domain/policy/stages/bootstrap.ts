import type { JsonObject } from '../../json.ts';
import type { Candidate } from '../change.ts';

/** The policy that a bootstrap makes. */
const BASELINE_NAME = 'meshops-baseline';

/**
 * Default deny for a namespace that goes on living: DNS and the API server outward, Ingress, Gateway and Cilium's health checks inward.
 * The kubelet's probes come from the pod's own node, which always reaches its pods. Everything else needs a policy of its own from then on.
 */
export function baselinePolicy(namespace: string): JsonObject {
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: BASELINE_NAME, namespace },
    spec: {
      description: 'Default deny that keeps DNS, the API server, health checks and ingress',
      endpointSelector: {},
      ingress: [{ fromEntities: ['ingress', 'health'] }],
      egress: [
        {
          toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' } }],
          toPorts: [
            {
              ports: [
                { port: '53', protocol: 'UDP' },
                { port: '53', protocol: 'TCP' },
              ],
            },
          ],
        },
        { toEntities: ['kube-apiserver'] },
      ],
    },
  };
}

export function baselineCandidate(namespace: string): Candidate {
  return { document: baselinePolicy(namespace), sha256: '', source: 'the baseline of meshops' };
}
