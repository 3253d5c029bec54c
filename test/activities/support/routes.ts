import { digestOf, planHashOf } from '../../../activities/writes/digest.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { RestoreInput } from '../../../src/domain/lifecycle/contract.ts';
import {
  type Fields,
  type ObjectRef,
  type Original,
  type PlannedStage,
  TOKEN_ANNOTATION,
  type Write,
} from '../../../src/domain/lifecycle/plan.ts';
import type { TestCluster } from './cluster.ts';

export const ROUTES = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes';

export function routeRef(name: string): ObjectRef {
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name };
}

export function fieldsOf(stable: number, canary: number): Fields {
  return {
    '/spec/rules/0/backendRefs/0/name': 'backend',
    '/spec/rules/0/backendRefs/0/weight': stable,
    '/spec/rules/0/backendRefs/1/name': 'backend-canary',
    '/spec/rules/0/backendRefs/1/weight': canary,
  };
}

/** Creates a route with backend at 100 and backend-canary at 0, as the demo has it. */
export async function createRoute(cluster: TestCluster, name: string, annotations?: Record<string, string>): Promise<KubeObject> {
  const route = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'backend', ...(annotations && { annotations }) },
    spec: {
      parentRefs: [{ name: 'mesh' }],
      rules: [
        {
          backendRefs: [
            { name: 'backend', port: 8080, weight: 100 },
            { name: 'backend-canary', port: 8080, weight: 0 },
          ],
        },
      ],
    },
  };
  return (await cluster.admin('POST', ROUTES, route)) as unknown as KubeObject;
}

export async function readRoute(cluster: TestCluster, name: string): Promise<KubeObject> {
  return (await cluster.admin('GET', `${ROUTES}/${name}`)) as unknown as KubeObject;
}

/** Somebody else changes a route, as `manager`. */
export async function mergePatch(cluster: TestCluster, name: string, patch: unknown, manager = 'kubectl-edit'): Promise<void> {
  await cluster.admin('PATCH', `${ROUTES}/${name}?fieldManager=${manager}`, patch, 'application/merge-patch+json');
}

export async function jsonPatch(cluster: TestCluster, name: string, ops: readonly object[], manager = 'kubectl-edit'): Promise<void> {
  await cluster.admin('PATCH', `${ROUTES}/${name}?fieldManager=${manager}`, ops, 'application/json-patch+json');
}

export function weightsOf(route: KubeObject): readonly number[] {
  const spec = route.spec as unknown as { rules: { backendRefs: { weight: number }[] }[] };
  return spec.rules.flatMap((rule) => rule.backendRefs.map((backend) => backend.weight));
}

export function tokenOn(route: KubeObject): string | undefined {
  return route.metadata.annotations?.[TOKEN_ANNOTATION];
}

export function originalOf(route: KubeObject): Original {
  return {
    object: routeRef(route.metadata.name),
    uid: route.metadata.uid,
    fields: fieldsOf(100, 0),
    token: tokenOn(route) ?? null,
    digest: digestOf(route),
  };
}

/** Stages that give the canary these shares in percent, one after the other. */
export function stagesFor(routes: readonly KubeObject[], percents: readonly number[]): readonly PlannedStage[] {
  let before = fieldsOf(100, 0);
  return percents.map((percent, index) => {
    const after = fieldsOf(100 - percent, percent);
    const writes = routes.map((route): Write => {
      const { uid, generation = 0 } = route.metadata;
      return { object: routeRef(route.metadata.name), uid, generation, before, after };
    });
    before = after;
    return { number: index + 1, label: `${percent}%`, exposure: percent / 100, writes };
  });
}

export function restoreInputOf(
  opId: string,
  routes: readonly KubeObject[],
  stages: readonly PlannedStage[],
  holder: RestoreInput['holder'],
): RestoreInput {
  const written = stages.map(({ number, writes }) => ({ stage: number, writes }));
  return { opId, originals: routes.map(originalOf), written, holder };
}

export { planHashOf };
