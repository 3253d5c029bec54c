import type { JsonObject } from '../../src/domain/json.ts';

export const NAMESPACE = 'large';
export const OP = 'policy-bench';

/** What the bench says to its writer: an operator and agents in a process of their own. */
export type StagesWord =
  | { readonly word: 'connect'; readonly kubeconfig: string }
  | { readonly word: 'show'; readonly names: readonly string[]; readonly value: string | null; readonly afterMs: number };

/** What the bench says to its bare loop, and what that answers at the end (ms). */
export type IdleWord = 'begin' | 'end';
export interface IdleReport {
  readonly longestMs: number;
  readonly p99Ms: number;
}

const nameOf = (number: number): string => `app-${String(number).padStart(4, '0')}`;

/** As large as pods of clusters are: probes, resources, variables and volumes. */
export function podOf(number: number): JsonObject {
  const env = Array.from({ length: 20 }, (_, index) => ({ name: `SETTING_${index}`, value: `value-${index}-${'x'.repeat(40)}` }));
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, timeoutSeconds: 1 };
  const volumes = Array.from({ length: 4 }, (_, index) => ({ name: `volume-${index}`, configMap: { name: `config-${index}` } }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: nameOf(number), labels: { app: 'app', 'app.kubernetes.io/part-of': 'shop', 'pod-template-hash': '7c9d8f6b5' } },
    spec: {
      nodeName: `node-${number % 100}`,
      serviceAccountName: 'default',
      volumes,
      containers: [
        {
          name: 'app',
          image: 'registry.example.com/shop/app:1.2.3',
          env,
          ports: [{ name: 'http', containerPort: 8080 }],
          livenessProbe: probe,
          readinessProbe: probe,
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
          volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/etc/${name}` })),
        },
      ],
    },
  };
}

export function endpointOf(number: number): JsonObject {
  const labels = ['k8s:app=app', `k8s:io.kubernetes.pod.namespace=${NAMESPACE}`, 'k8s:io.cilium.k8s.policy.cluster=default'];
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumEndpoint',
    metadata: { name: nameOf(number) },
    status: {
      id: number + 1,
      identity: { id: 12_345, labels },
      networking: { addressing: [{ ipv4: `10.1.${number >> 8}.${number & 255}` }], node: '10.0.0.1' },
    },
  };
}

export function policyOf(): JsonObject & { readonly metadata: JsonObject } {
  const endpointSelector = { matchLabels: { app: 'app' } };
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'app', namespace: NAMESPACE },
    spec: { endpointSelector, ingress: [{ fromEntities: ['ingress'] }] },
    status: { conditions: [{ type: 'Valid', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  };
}

/** How often the delay of an event loop is sampled. */
export const RESOLUTION_MS = 1;

/** Milliseconds that a loop was late. A sample (ns) is the time since the one before it, the wait for it included (Node's ELDHistogram). */
export const pauseOf = (sample: number): number => Math.max(0, sample / 1e6 - RESOLUTION_MS);
