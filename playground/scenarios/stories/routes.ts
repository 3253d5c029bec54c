import type { Message } from '../../slack/messages.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approve, approvedCanary } from './canary.ts';

/** Stories of routes: many that move together, one that two Services share, one that somebody else changes. */

const ROUTES = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes';
const ROUTE = `${ROUTES}/backend`;
const SERVICES = '/api/v1/namespaces/backend/services';

interface Live {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly rules: readonly { readonly backendRefs: readonly { readonly name: string; readonly weight?: number }[] }[] };
  readonly status?: {
    readonly parents?: readonly { readonly conditions?: readonly { readonly status: string; readonly observedGeneration?: number }[] }[];
  };
}

/** Writes a JSON patch as somebody who is not meshops. */
export async function edit(scene: Scene, path: string, ops: readonly object[], manager = 'kubectl-edit'): Promise<void> {
  const body = JSON.stringify(ops);
  const answer = await scene.rig.stack.kube.api({
    method: 'PATCH',
    path: `${path}?fieldManager=${manager}`,
    body,
    contentType: 'application/json-patch+json',
    signal: AbortSignal.timeout(5_000),
  });
  must(answer.status === 200, `${path} was not changed (${answer.status}): ${answer.body.slice(0, 300)}`);
}

/** A further route on the demo's Gateway, accepted by it. `rules`: path prefix to weights by Service. */
async function addRoute(scene: Scene, name: string, rules: Readonly<Record<string, Readonly<Record<string, number>>>>): Promise<string> {
  const path = `${ROUTES}/${name}`;
  await scene.put(path, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'backend' },
    spec: {
      parentRefs: [{ name: 'mesh' }],
      rules: Object.entries(rules).map(([prefix, weights]) => ({
        matches: [{ path: { type: 'PathPrefix', value: prefix } }],
        backendRefs: Object.entries(weights).map(([service, weight]) => ({ name: service, port: 8080, weight })),
      })),
    },
  });
  await scene.until(async () => isAccepted((await scene.read(path)) as Live), `route ${name} to be accepted`);
  return path;
}

function isAccepted({ metadata, status }: Live): boolean {
  const conditions = (status?.parents ?? []).flatMap((parent) => parent.conditions ?? []);
  return conditions.length > 0 && conditions.every((one) => one.status === 'True' && (one.observedGeneration ?? 0) >= metadata.generation);
}

async function weightsAt(scene: Scene, path: string): Promise<readonly string[]> {
  const { spec } = (await scene.read(path)) as Live;
  return spec.rules.map((rule) => rule.backendRefs.map(({ weight = 1 }) => weight).join('/'));
}

function shows(text: string) {
  return (message: Message): boolean => JSON.stringify(message.blocks ?? []).includes(text);
}

const manyRoutes: Scenario = {
  name: 'canary-many-routes',
  story: 'two routes with three rules move together; v2 fails, and all of them come back exactly',
  play: async (scene) => {
    const path = await addRoute(scene, 'backend-api', {
      '/api': { backend: 100, 'backend-canary': 0 },
      '/v2': { backend: 40, 'backend-canary': 0 },
    });
    try {
      const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 30s');
      const moved = [...(await weightsAt(scene, ROUTE)), ...(await weightsAt(scene, path))];
      must(moved.join(' ') === '90/10 90/10 90/10', `the weights are ${moved.join(' ')}`);
      scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
      const outcome = await operation.result();
      must(outcome.kind === 'rolled-back' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
      const back = [...(await weightsAt(scene, ROUTE)), ...(await weightsAt(scene, path))];
      must(back.join(' ') === '100/0 100/0 40/0', `the weights are ${back.join(' ')}`);
      return { operation, extra: { moved, back } };
    } finally {
      await scene.remove(path);
    }
  },
};

const sharedRoute: Scenario = {
  name: 'canary-shared-route',
  story: 'two Services in one route: the second operation is refused and names the first, which goes on',
  play: async (scene) => {
    for (const [name, version] of [
      ['api', 'v1'],
      ['api-canary', 'v2'],
    ] as const) {
      const spec = { selector: { app: 'backend', version }, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] };
      await scene.put(`${SERVICES}/${name}`, { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'backend' }, spec });
    }
    const path = await addRoute(scene, 'shared', { '/': { backend: 100, 'backend-canary': 0 }, '/api': { api: 100, 'api-canary': 0 } });
    try {
      const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 6s');
      const refused = await (await scene.begin('/mesh canary api 10%')).result();
      must(refused.kind === 'impossible', `the second outcome is ${refused.kind}: ${refused.words}`);
      must(refused.words.includes(operation.opId), `the refusal does not name ${operation.opId}: ${refused.words}`);
      must((await weightsAt(scene, path)).join(' ') === '90/10 100/0', 'the second operation changed something');
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation, extra: { refusal: refused.words } };
    } finally {
      for (const each of [path, `${SERVICES}/api`, `${SERVICES}/api-canary`]) await scene.remove(each);
    }
  },
};

const drift: Scenario = {
  name: 'canary-drift',
  story: 'somebody gives the canary 30% with kubectl: held, shown who and what; restored once, left the second time',
  play: async (scene) => {
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 8s');
    const raise = [{ op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 30 }];
    await edit(scene, ROUTE, raise);
    await operation.seen(shows('kubectl-edit'), 'who changed the weight');
    const held = await operation.phase('holding');
    must(held.drift?.[0]?.expected === '10' && held.drift[0].found === '30', `the drift is ${JSON.stringify(held.drift)}`);
    must((await scene.weight(CANARY)) === 30, 'something was written before people chose');
    must((await operation.press('reviewer', 'meshops:restore')).ok, 'restore was not taken');
    await operation.phase('watching');
    must((await scene.weight(CANARY)) === 10, 'our value was not written again');
    await edit(scene, ROUTE, raise);
    await operation.phase('holding');
    must((await operation.press('operator', 'meshops:leave')).ok, 'leave was not taken');
    const outcome = await operation.result();
    must(outcome.kind === 'drifted', `the outcome is ${outcome.kind}: ${outcome.words}`);
    const weights = await weightsAt(scene, ROUTE);
    // Only the canary's own weight goes back; the rest is as it was found.
    must(weights.join(' ') === '90/0', `the weights are ${weights.join(' ')}`);
    return { operation, extra: { weights, words: outcome.words } };
  },
};

const adopted: Scenario = {
  name: 'canary-drift-adopted',
  story: 'somebody gives the canary 7% with kubectl between 5% and 10%: adopted, approved again from there, and brought to 10%',
  play: async (scene) => {
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --steps 5,10 --soak 4s');
    await edit(scene, ROUTE, [
      { op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 93 },
      { op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 7 },
    ]);
    await operation.phase('holding');
    must((await operation.press('reviewer', 'meshops:adopt')).ok, 'adopt was not taken');
    await operation.phase('waiting');
    must((await scene.weight(CANARY)) === 7, 'what was adopted was written over');
    await approve(operation);
    const outcome = await operation.result();
    must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
    const weights = await weightsAt(scene, ROUTE);
    must(weights.join(' ') === '90/10', `the weights are ${weights.join(' ')}`);
    const { stages } = await operation.view();
    return { operation, extra: { weights, adopted: stages.filter(({ label }) => label.includes('adopted')).length } };
  },
};

export const routeStories: readonly Scenario[] = [manyRoutes, sharedRoute, drift, adopted];
