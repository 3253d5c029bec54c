import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { inspect } from '../../../activities/writes/inspect.ts';
import { canonicalJson, type Json } from '../../../src/domain/json.ts';
import type { PlanInput } from '../../../src/domain/lifecycle/contract.ts';
import type { Plan, PlannedStage } from '../../../src/domain/lifecycle/plan.ts';
import { arrangeMesh, canaryRig, planIn, shiftInput } from '../support/canary.ts';
import { grantRights, startTestCluster, type TestCluster } from '../support/cluster.ts';
import { jsonPatch, tokenOn } from '../support/routes.ts';

const API = '/apis/gateway.networking.k8s.io/v1/namespaces';
let world: TestCluster;
let rig: Awaited<ReturnType<typeof canaryRig>>;
const made: string[] = [];

/** Every token counts. */
const audit = { holds: async () => true };

beforeAll(async () => {
  world = await startTestCluster(new AbortController().signal);
  for (const name of ['backend', 'shop']) await world.admin('POST', '/api/v1/namespaces', { metadata: { name } });
  await grantRights(world);
  await arrangeMesh(world);
  // Without one no GRPCRoute would be planned.
  rig = await canaryRig(world, { prometheus: { instant: async () => [], range: async () => [] } });
});
afterAll(async () => {
  rig?.stop();
  await world?.stop();
});
afterEach(async () => {
  for (const path of made.splice(0)) await world.admin('DELETE', path).catch(() => undefined);
});

type Kind = 'httproutes' | 'grpcroutes';
interface RouteObject {
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: { readonly rules: readonly Record<string, unknown>[] };
}
function backends(weights: Record<string, number | undefined>, namespace?: string) {
  return Object.entries(weights).map(([name, weight]) => ({
    name,
    port: 8080,
    ...(namespace && { namespace }),
    ...(weight !== undefined && { weight }),
  }));
}

/** Creates a route that its parent has accepted. */
async function createRoute(kind: Kind, name: string, rules: readonly object[], where: { namespace?: string; parent?: object } = {}) {
  const { namespace = 'backend', parent = { name: 'mesh' } } = where;
  const path = `${API}/${namespace}/${kind}`;
  const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: kind === 'httproutes' ? 'HTTPRoute' : 'GRPCRoute' };
  await world.admin('POST', path, { ...route, metadata: { name, namespace }, spec: { parentRefs: [parent], rules } });
  made.push(`${path}/${name}`);
  const base = { status: 'True', observedGeneration: 100, lastTransitionTime: new Date().toISOString(), message: '' };
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({ ...base, type, reason: type }));
  const group = 'kind' in parent ? '' : 'gateway.networking.k8s.io';
  const parents = [{ parentRef: { kind: 'Gateway', ...parent, group }, controllerName: 'io.cilium/gateway-controller', conditions }];
  await world.admin('PATCH', `${path}/${name}/status`, { status: { parents } }, 'application/merge-patch+json');
}
async function read(kind: Kind, name: string, namespace = 'backend'): Promise<RouteObject> {
  return (await world.admin('GET', `${API}/${namespace}/${kind}/${name}`)) as unknown as RouteObject;
}
async function specOf(kind: Kind, name: string, namespace?: string): Promise<string> {
  return canonicalJson((await read(kind, name, namespace)).spec as unknown as Json);
}
function weightsIn({ spec }: RouteObject): unknown {
  return spec.rules.map((rule) =>
    (rule['backendRefs'] as { name: string; weight: number }[]).map(({ name, weight }) => `${name} ${weight}`),
  );
}

async function apply(opId: string, plan: Plan, stage: PlannedStage, input: PlanInput) {
  const { requester, target } = input.request;
  const tokenBefore = Object.fromEntries(
    stage.writes.map(({ object: { kind, namespace, name } }) => [`${kind}/${namespace}/${name}`, null]),
  );
  const result = await rig.step('apply', { opId, target, stage, tokenBefore, as: requester.kubernetes });
  if (result.kind !== 'applied') throw new Error(JSON.stringify(result));
  const written = [{ stage: stage.number, writes: stage.writes }];
  return () => rig.step('restore', { opId, originals: plan.originals, written, holder: 'operation' });
}
const writtenOf = (plan: Plan) => [{ stage: 1, writes: only(plan).writes }];
const only = (plan: Plan): PlannedStage => plan.stages[0] as PlannedStage;

test('several HTTPRoutes and GRPCRoutes with several rules move together and come back exactly', async () => {
  const filters = [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-other', value: '1' }] } }];
  await createRoute('httproutes', 'web', [
    { matches: [{ path: { type: 'PathPrefix', value: '/a' } }], filters, backendRefs: backends({ backend: 100, 'backend-canary': 0 }) },
    { matches: [{ path: { type: 'Exact', value: '/b' } }], backendRefs: backends({ backend: 3, 'backend-old': 1, 'backend-canary': 0 }) },
    { matches: [{ path: { type: 'Exact', value: '/c' } }], backendRefs: backends({ backend: undefined }) },
  ]);
  await createRoute('grpcroutes', 'rpc', [{ backendRefs: backends({ backend: undefined, 'backend-canary': 0 }) }], {
    parent: { kind: 'Service', group: '', name: 'backend', port: 8080 },
  });
  const before = [await specOf('httproutes', 'web'), await specOf('grpcroutes', 'rpc')];
  const input = shiftInput(0.1, { opId: 'canary-many1' });
  const plan = planIn(await rig.step('plan', input));
  expect(plan.explanation.join(' ')).toContain('traffic from outside through Gateway mesh and traffic inside the mesh to Service backend');
  const undo = await apply('canary-many1', plan, only(plan), input);
  expect(weightsIn(await read('httproutes', 'web'))).toEqual([
    ['backend 999', 'backend-canary 1'],
    // 3 : 1 of 99.9%, as near as whole numbers of 1000 can be; the canary has exactly its 0.1%.
    ['backend 749', 'backend-old 250', 'backend-canary 1'],
    ['backend 1'],
  ]);
  expect(weightsIn(await read('grpcroutes', 'rpc'))).toEqual([['backend 999', 'backend-canary 1']]);
  expect(await undo()).toMatchObject({ kind: 'restored', exact: true });
  expect([await specOf('httproutes', 'web'), await specOf('grpcroutes', 'rpc')]).toEqual(before);
});

test('two Services in one route: the second operation is refused and names the holder', async () => {
  await createRoute('httproutes', 'shared', [
    { backendRefs: backends({ backend: 100, 'backend-canary': 0 }) },
    { matches: [{ path: { type: 'PathPrefix', value: '/api' } }], backendRefs: backends({ api: 100, 'api-canary': 0 }) },
  ]);
  const input = shiftInput(10, { opId: 'canary-first1' });
  const plan = planIn(await rig.step('plan', input));
  const undo = await apply('canary-first1', plan, only(plan), input);
  const other = shiftInput(10, { opId: 'canary-other1' });
  const asked = { ...other, request: { ...other.request, target: { ...other.request.target, name: 'api' } } };
  expect(await rig.step('plan', asked)).toMatchObject({
    kind: 'impossible',
    code: 'Held',
    words: expect.stringContaining('canary-first1'),
  });
  await undo();
});

test('routes of other namespaces are refused unless they are included', async () => {
  await createRoute('httproutes', 'web', [{ backendRefs: backends({ backend: 100, 'backend-canary': 0 }) }]);
  await createRoute('httproutes', 'web', [{ backendRefs: backends({ backend: 100, 'backend-canary': 0 }, 'backend') }], {
    namespace: 'shop',
  });
  expect(await rig.step('plan', shiftInput(10))).toMatchObject({ code: 'RoutesElsewhere', words: expect.stringContaining('shop/web') });
});

test('a header rule is what the apiserver keeps, and is taken away exactly, also when others have changed the rules', async () => {
  const rule = { matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: backends({ backend: 90, 'backend-canary': 10 }) };
  await createRoute('httproutes', 'web', [rule]);
  await createRoute('grpcroutes', 'rpc', [{ backendRefs: backends({ backend: 90, 'backend-canary': 10 }) }]);
  const before = [await specOf('httproutes', 'web'), await specOf('grpcroutes', 'rpc')];
  const shift = shiftInput(0, { opId: 'canary-ab1' });
  const change = { kind: 'ab', header: { name: 'x-canary', value: 'yes' } } as const;
  const input = { ...shift, request: { ...shift.request, change } };
  const plan = planIn(await rig.step('plan', input));
  const undo = await apply('canary-ab1', plan, only(plan), input);
  expect(
    await inspect(
      { cluster: world.connect('meshops'), audit },
      { opId: 'canary-ab1', stage: only(plan), written: writtenOf(plan) },
      new AbortController().signal,
    ),
  ).toMatchObject({ differences: [] });
  expect((await read('httproutes', 'web')).spec.rules).toHaveLength(2);
  expect((await read('grpcroutes', 'rpc')).spec.rules[0]).toMatchObject({ name: 'meshops-ab-1' });
  await jsonPatch(world, 'web', [
    { op: 'add', path: '/spec/rules/0', value: { ...rule, matches: [{ path: { type: 'Exact', value: '/theirs' } }] } },
  ]);
  expect(await undo()).toMatchObject({ kind: 'restored', exact: false });
  const after = await read('httproutes', 'web');
  expect(after.spec.rules).toHaveLength(2);
  expect(after.spec.rules.map((one) => one['name'])).toEqual([undefined, undefined]);
  expect(await specOf('grpcroutes', 'rpc')).toBe(before[1]);
});

test('drift is shown with field, expected, found and manager, and whether our values could go back', async () => {
  await createRoute('httproutes', 'web', [{ backendRefs: backends({ backend: 100, 'backend-canary': 0 }) }]);
  const input = shiftInput(10, { opId: 'canary-drift1' });
  const plan = planIn(await rig.step('plan', input));
  const undo = await apply('canary-drift1', plan, only(plan), input);
  await jsonPatch(world, 'web', [{ op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 30 }], 'kubectl-edit');
  const cluster = world.connect('meshops');
  const { signal } = new AbortController();
  const seen = await inspect({ cluster, audit }, { opId: 'canary-drift1', stage: only(plan), written: writtenOf(plan) }, signal);
  const field = '/spec/rules/0/backendRefs/1/weight';
  expect(seen.differences).toEqual([{ object: 'HTTPRoute/backend/web', field, expected: '10', found: '30', manager: 'kubectl-edit' }]);
  expect(seen.found['HTTPRoute/backend/web']).toMatchObject({ fields: { [field]: 30 }, token: 'canary-drift1/1' });
  expect(seen).not.toHaveProperty('stuck');
  await jsonPatch(world, 'web', [{ op: 'remove', path: '/spec/rules/0/backendRefs/1' }], 'kubectl-edit');
  expect(await inspect({ cluster, audit }, { opId: 'canary-drift1', stage: only(plan), written: writtenOf(plan) }, signal)).toMatchObject({
    stuck: expect.any(String),
  });
  await jsonPatch(world, 'web', [
    { op: 'add', path: '/spec/rules/0/backendRefs/1', value: { name: 'backend-canary', port: 8080, weight: 30 } },
  ]);
  // Stable has our 90, the canary another's 30: only the canary's own weight goes back.
  expect(await undo()).toMatchObject({ kind: 'restored', exact: false });
  const route = await read('httproutes', 'web');
  expect(weightsIn(route)).toEqual([['backend 90', 'backend-canary 0']]);
  expect(tokenOn(route as never)).toBeUndefined();
  cluster.close();
});
