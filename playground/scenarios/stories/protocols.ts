import type { PartName } from '../../cilium/parts.ts';
import type { TrueRequest } from '../../cilium/truth.ts';
import type { Operation } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';

/** Stories of other traffic than HTTP through the Gateway: gRPC, and calls from pod to pod. */

const ROUTES: Readonly<Record<PartName, string>> = {
  ledger: '/apis/gateway.networking.k8s.io/v1/namespaces/backend/grpcroutes/ledger',
  catalog: '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/catalog',
};

/** The canary's weight in the route of a part, as the API server has it. */
async function weightOf(scene: Scene, part: PartName): Promise<number | undefined> {
  const { spec } = (await scene.read(ROUTES[part])) as {
    spec: { rules: readonly { backendRefs: readonly { name: string; weight?: number }[] }[] };
  };
  return spec.rules[0]?.backendRefs.find(({ name }) => name === `${part}-canary`)?.weight;
}

/** What the operation's plan says of the traffic that moves. */
function trafficIn(operation: Operation): Promise<string> {
  return operation.said(/traffic (?:from outside|inside)[\w ]*/, 'the plan to say which traffic moves');
}

/** The canary of a part stays healthy and stays. */
function healthy(part: PartName, name: string, story: string): Scenario {
  return {
    name,
    story,
    part,
    play: async (scene) => {
      const operation = await approvedCanary(scene, `/mesh canary ${part} 10% --soak 8s`);
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must((await weightOf(scene, part)) === 10, 'the canary does not have its 10%');
      const { stages } = await operation.view();
      const judged = stages.reduce((sum, { counts }) => sum + (counts?.canary.requests ?? 0), 0);
      must(judged > 0, 'the stage passed although nothing was judged');
      return { operation, extra: { judged, traffic: await trafficIn(operation) } };
    },
  };
}

/** The canary of a part breaks at a random moment of its watch; the operation undoes it by itself. */
function breaking(
  part: PartName,
  name: string,
  story: string,
  {
    how,
    traffic,
    harm,
  }: { readonly how: (scene: Scene) => void; readonly traffic: string; readonly harm: (request: TrueRequest) => boolean },
): Scenario {
  return {
    name,
    story,
    part,
    play: async (scene) => {
      const operation = await scene.begin(`/mesh canary ${part} 10% --soak 60s`);
      await operation.button('meshops:approve');
      const said = await trafficIn(operation);
      must(said === traffic, `the plan says that this moves: ${said}`);
      const click = await operation.press('reviewer', 'meshops:approve');
      must(click.ok, `the approval was not taken: ${click.error}`);
      await operation.phase('watching');
      await scene.wait(300 + scene.random() * 1_000);
      scene.break(() => how(scene));
      const outcome = await operation.result();
      must(
        outcome.kind === 'rolled-back' && outcome.code === 'Harmful',
        `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`,
      );
      must(outcome.restoredExactly === true, 'the operation does not say that everything is as it was');
      must((await weightOf(scene, part)) === 0, 'the canary still has weight');
      const words = outcome.verdict?.words ?? '';
      const harmed = scene.rig.cilium.truth.requests.filter(
        ({ at, service, ok }) => at >= scene.began && service === `backend/${part}-canary` && !ok,
      );
      must(
        harmed.length > 0 && harmed.every(harm),
        `other harm than the story's was done: ${JSON.stringify(harmed.find((one) => !harm(one)))}`,
      );
      return { operation, extra: { words, traffic: said } };
    },
  };
}

export const protocolStories: readonly Scenario[] = [
  breaking('ledger', 'canary-grpc', "v2 of a gRPC service answers UNAVAILABLE: HTTP 200 in every flow, seen in Envoy's gRPC counters", {
    how: ({ rig }) => rig.cilium.faults.grpcErrors('backend/ledger-canary', 1),
    traffic: 'traffic from outside through Gateway mesh',
    harm: ({ status, grpcStatus }) => status === 200 && grpcStatus === 14,
  }),
  healthy('ledger', 'canary-grpc-healthy', 'v2 of a gRPC service is well: its calls are counted, and it stays'),
  breaking(
    'catalog',
    'canary-gamma',
    'a route hangs on a Service: calls from pod to pod are split, v2 fails with 5xx, and all comes back',
    {
      how: ({ rig }) => rig.cilium.faults.errorRate('backend/catalog-canary', 1),
      traffic: 'traffic inside the mesh to Service catalog',
      harm: ({ status }) => status === 500,
    },
  ),
  healthy('catalog', 'canary-gamma-healthy', 'a route hangs on a Service: v2 is well under calls from pod to pod, and stays'),
];
