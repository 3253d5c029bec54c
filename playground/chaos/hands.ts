import { CILIUM_POLICY, type KubeObject, type Route } from '../../src/clients/kubernetes/objects.ts';
import { TOKEN_ANNOTATION } from '../../src/domain/lifecycle/plan.ts';
import type { Happening } from './step.ts';
import type { Writer } from './world/api-server.ts';
import { CANARY_NAME, NAMESPACE, routeRef, SERVICE_NAME } from './world/mesh.ts';
import type { World } from './world/world.ts';

const HAND: Writer = { kind: 'foreign', name: 'kubectl-edit' };
const ROUTE = routeRef('backend');
const POLICY = { ...CILIUM_POLICY, namespace: NAMESPACE, name: 'backend' };

type Edit = Extract<Happening, { do: 'edit-weights' | 'edit-label' | 'strip-token' | 'forge-token' | 'delete-route' | 'recreate-route' }>;

/** People and tools that change objects beside meshops. */
export class OtherHands {
  readonly #world: World;
  #deleted: KubeObject | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  edit(what: Edit): void {
    const { api } = this.#world;
    switch (what.do) {
      case 'edit-weights':
        return void api.edit(ROUTE, HAND, (route) => withWeights(route as Route, what.canary));
      case 'edit-label':
        return void api.edit(ROUTE, HAND, (route) => ({
          ...route,
          metadata: { ...route.metadata, labels: { ...route.metadata.labels, note: what.value } },
        }));
      case 'strip-token':
      case 'forge-token':
        return void api.edit(ROUTE, HAND, (route) => {
          const { [TOKEN_ANNOTATION]: _, ...annotations } = route.metadata.annotations ?? {};
          const forged = what.do === 'forge-token' && { [TOKEN_ANNOTATION]: 'canary-ffffff/1' };
          return { ...route, metadata: { ...route.metadata, annotations: { ...annotations, ...forged } } };
        });
      case 'delete-route':
        this.#deleted = api.read(ROUTE) ?? this.#deleted;
        if (api.read(ROUTE)) api.remove(ROUTE, HAND);
        return;
      case 'recreate-route': {
        const was = this.#deleted;
        if (!was || api.read(ROUTE)) return;
        api.create(ROUTE, { spec: was.spec ?? {}, metadata: { labels: { ...was.metadata.labels } } }, HAND);
        return;
      }
      default:
        return what satisfies never;
    }
  }

  /** The policy of the workload. */
  touchPolicy(what: 'edit-policy' | 'delete-policy'): void {
    const { api } = this.#world;
    if (!api.read(POLICY)) return;
    if (what === 'delete-policy') api.remove(POLICY, HAND);
    else api.edit(POLICY, HAND, (policy) => ({ ...policy, spec: { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] } }));
  }
}

function withWeights(route: Route, canary: number): Route {
  const weights: Readonly<Record<string, number>> = { [SERVICE_NAME]: 100 - canary, [CANARY_NAME]: canary };
  const rules = (route.spec.rules ?? []).map((rule) => ({
    ...rule,
    backendRefs: (rule.backendRefs ?? []).map((each) => ({ ...each, weight: weights[each.name] ?? each.weight ?? 1 })),
  }));
  return { ...route, spec: { ...route.spec, rules } };
}
