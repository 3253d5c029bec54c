// What forms offer, as a test says it.
import { type HttpRoute, parseRoute } from '../../../src/domain/canary/route.ts';
import type { WorkloadChoice } from '../../../src/reading/choices.ts';
import type { ChoiceParts } from '../../../src/slack/forms/choices.ts';

export interface PlayedChoices extends ChoiceParts {
  all: HttpRoute[];
  found: WorkloadChoice[];
}

export function playChoices(): PlayedChoices {
  const played: PlayedChoices = {
    all: [routeOf('backend', 'backend', 100), routeOf('shop', 'cart', 90)],
    found: [
      { namespace: 'backend', name: 'backend', source: 'ConfigMap backend/policies' },
      { namespace: 'backend', name: 'database' },
    ],
    routes: async (_cluster, namespace) => played.all.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
    workloads: async (_cluster, namespace) => played.found.filter((one) => one.namespace === namespace),
    namespaces: async () => ['backend', 'frontend', 'shop'],
  };
  return played;
}

function routeOf(namespace: string, name: string, weight: number): HttpRoute {
  const route = parseRoute({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { namespace, name, uid: name, generation: 1 },
    spec: {
      rules: [
        {
          backendRefs: [
            { name, weight },
            { name: `${name}-canary`, weight: 100 - weight },
          ],
        },
      ],
    },
  });
  if (!route) throw new Error('not a route');
  return route;
}
