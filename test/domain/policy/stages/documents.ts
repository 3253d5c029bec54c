import type { JsonObject } from '../../../../src/domain/json.ts';
import type { PlannedStage } from '../../../../src/domain/lifecycle/plan.ts';
import type { CohortPod } from '../../../../src/domain/policy/stages/cohort.ts';
import { policyStages, type StagesInput } from '../../../../src/domain/policy/stages/stages.ts';

export const OP = 'policy-abc123';

/** A policy of frontend/frontend with this spec. */
export function policyDocument(spec: JsonObject): JsonObject & { readonly metadata: JsonObject } {
  const endpointSelector = { matchLabels: { app: 'frontend' } };
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'frontend', namespace: 'frontend' },
    spec: { endpointSelector, ...spec },
  };
}

/** HTTP from the gateway, DNS and the backend outward. */
export const FULL = policyDocument({
  ingress: [
    {
      fromEntities: ['ingress'],
      toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ method: 'GET' }] } }],
    },
  ],
  egress: [
    {
      toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' } }],
      toPorts: [{ ports: [{ port: '53', protocol: 'UDP' }], rules: { dns: [{ matchPattern: '*' }] } }],
    },
    { toFQDNs: [{ matchName: 'api.example.com' }], toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }] },
  ],
});

export function podsOf(count: number, ready = count): readonly CohortPod[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `frontend-${index}`,
    uid: `uid-${index}`,
    node: `node-${index % 3}`,
    ready: index < ready,
  }));
}

export function stagesOf(change: Partial<StagesInput> = {}) {
  return policyStages({
    opId: OP,
    firstStage: 1,
    namespace: 'frontend',
    candidate: FULL,
    policyName: 'frontend',
    pods: podsOf(4),
    observed: ['ingress', 'egress'],
    windowMs: 60_000,
    observeOnly: false,
    ...change,
  });
}

/** The policy object's rules once the stages up to `number` have been written. */
export function policyAfter(stages: readonly PlannedStage[], number: number): JsonObject {
  const writes = stages
    .filter((stage) => stage.number <= number)
    .flatMap((stage) => stage.writes.filter(({ object }) => object.name === 'frontend'));
  const fields = Object.assign({}, ...writes.map(({ after }) => after)) as Readonly<Record<string, unknown>>;
  const { spec: _spec, ...rest } = FULL;
  return { ...rest, spec: (fields['/spec'] ?? undefined) as never, specs: (fields['/specs'] ?? undefined) as never };
}
