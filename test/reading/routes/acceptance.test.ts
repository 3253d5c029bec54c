import { expect, test } from 'vitest';
import { checkAccepted } from '../../../activities/canary/preconditions.ts';
import { realised } from '../../../activities/canary/realised.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import type { Follower, Hub } from '../../../src/clients/kubernetes/hub.ts';
import type { ParentRef, Route } from '../../../src/clients/kubernetes/objects.ts';
import type { PlannedStage } from '../../../src/domain/lifecycle/plan.ts';

const CILIUM = 'io.cilium/gateway-controller';
const signal = new AbortController().signal;

interface Entry {
  readonly controllerName: string;
  readonly generation: number;
  readonly accepted?: boolean;
  readonly parent?: ParentRef;
}

function routeWith(generation: number, entries: readonly Entry[], parentRefs: readonly ParentRef[] = [{ name: 'mesh' }]): Route {
  const parents = entries.map(({ controllerName, generation: observedGeneration, accepted = true, parent = { name: 'mesh' } }) => ({
    parentRef: parent,
    controllerName,
    conditions: [
      {
        type: 'Accepted',
        status: accepted ? 'True' : 'False',
        reason: accepted ? 'Accepted' : 'NotAllowedByListeners',
        observedGeneration,
      },
      { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', observedGeneration },
    ],
  }));
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', generation },
    spec: { parentRefs: parentRefs as Route['spec']['parentRefs'] & object },
    status: { parents },
  };
}

/** Gateways by name with their class, classes by name with their controller. `denied`: kinds that the worker may not read. */
function clusterOf(gateways: Record<string, string>, classes: Record<string, string>, denied: readonly string[] = []): Cluster {
  const read = async ({ kind, name }: { readonly kind: string; readonly name: string }): Promise<unknown> => {
    if (denied.includes(kind)) throw new ClusterFailure('Forbidden', 'may not');
    if (kind === 'Gateway') return gateways[name] && { spec: { gatewayClassName: gateways[name] } };
    return classes[name] && { spec: { controllerName: classes[name] } };
  };
  return { read } as unknown as Cluster;
}
const usual = clusterOf({ mesh: 'cilium' }, { cilium: CILIUM });
const refusalOf = async (cluster: Cluster, route: Route) => (await checkAccepted({ cluster }, [route], signal))?.words;

test('what another controller has left for the same parent does not count', async () => {
  const left = { controllerName: 'example.com/old-gateway', generation: 1, accepted: false };
  expect(await refusalOf(usual, routeWith(6, [left, { controllerName: CILIUM, generation: 6 }]))).toBeUndefined();
  expect(await refusalOf(usual, routeWith(6, [{ controllerName: CILIUM, generation: 6 }, left]))).toBeUndefined();
});

test("the refusal names the controller: its own word, and not another's", async () => {
  const other = { controllerName: 'example.com/old-gateway', generation: 6 };
  expect(await refusalOf(usual, routeWith(6, [other, { controllerName: CILIUM, generation: 6, accepted: false }]))).toContain(
    `not accepted by Gateway shop/mesh (${CILIUM}: NotAllowedByListeners)`,
  );
  expect(await refusalOf(usual, routeWith(6, [other]))).toContain(`its controller ${CILIUM} has said nothing about it`);
});

test('whose word counts is what the class of the Gateway says; for a Service, and where nothing can be read, Cilium', async () => {
  const own = clusterOf({ mesh: 'custom' }, { custom: 'example.com/custom' });
  expect(await refusalOf(own, routeWith(2, [{ controllerName: 'example.com/custom', generation: 2 }]))).toBeUndefined();
  expect(await refusalOf(own, routeWith(2, [{ controllerName: CILIUM, generation: 2 }]))).toContain('example.com/custom');
  const service = { group: '', kind: 'Service', name: 'web' };
  const gamma = routeWith(2, [{ controllerName: CILIUM, generation: 2, parent: service }], [service]);
  expect(await refusalOf(own, gamma)).toBeUndefined();
  for (const kind of ['Gateway', 'GatewayClass']) {
    const denied = clusterOf({ mesh: 'cilium' }, { cilium: CILIUM }, [kind]);
    expect(await refusalOf(denied, routeWith(2, [{ controllerName: CILIUM, generation: 2 }]))).toBeUndefined();
  }
});

test('parents of two classes are each asked by their own controller', async () => {
  const both = clusterOf({ mesh: 'cilium', edge: 'edge' }, { cilium: CILIUM, edge: 'example.com/edge' });
  const parents = [{ name: 'mesh' }, { name: 'edge' }];
  const entries = [
    { controllerName: CILIUM, generation: 3 },
    { controllerName: 'example.com/edge', generation: 2, parent: { name: 'edge' } },
  ];
  expect(await refusalOf(both, routeWith(3, entries, parents))).toContain(
    'Gateway shop/edge (example.com/edge: Accepted is about generation 2, not 3)',
  );
});

test('a stage is in force when the own controller has taken it, whatever a leftover says', async () => {
  const followers: Follower[] = [];
  const hub: Hub = { follow: (_resource, _key, follower) => void followers.push(follower), close: () => undefined };
  const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'shop', name: 'web' };
  const stage: PlannedStage = {
    number: 1,
    label: '10%',
    exposure: 0.1,
    writes: [{ object, uid: 'u', generation: 1, before: {}, after: {} }],
  };
  const input = { stage, generations: { 'HTTPRoute/shop/web': 7 }, timeoutMs: 2_000 };
  const result = realised({ hub, cluster: usual, now: Date.now }, input, signal);
  const left = { controllerName: 'example.com/old-gateway', generation: 1, accepted: false };
  followers[0]?.changed([routeWith(7, [left, { controllerName: CILIUM, generation: 6 }])]);
  followers[0]?.changed([routeWith(7, [left, { controllerName: CILIUM, generation: 7 }])]);
  expect(await result).toMatchObject({ kind: 'realised' });
});
