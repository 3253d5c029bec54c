import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyStage, type WriteDeps } from '../../../activities/writes/apply.ts';
import { guardedPatch } from '../../../activities/writes/guarded-patch.ts';
import { restore } from '../../../activities/writes/restore.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { ApplyInput } from '../../../src/domain/lifecycle/contract.ts';
import { type PlannedStage, TOKEN_ANNOTATION, tokenOf } from '../../../src/domain/lifecycle/plan.ts';
import { SILENT } from '../../../src/log.ts';
import { grantRights, startTestCluster, type TestCluster } from '../support/cluster.ts';
import * as routes from '../support/routes.ts';

const OPERATOR = { user: 'operator@example.com', groups: ['mesh-operators'] };
const { signal } = new AbortController();
let world: TestCluster;
let bot: Cluster;
let deps: WriteDeps;
const over = new Set<string>(['canary-over']);

beforeAll(async () => {
  world = await startTestCluster(signal);
  await world.admin('POST', '/api/v1/namespaces', { metadata: { name: 'backend' } });
  await grantRights(world);
  bot = world.connect('meshops');
  deps = { cluster: bot, audit: { holds: async (opId) => !over.has(opId) }, now: Date.now, log: SILENT };
});
afterAll(() => world?.stop());

function applyOf(opId: string, stage: PlannedStage, before: string | null, as: ApplyInput['as'] = OPERATOR): ApplyInput {
  const tokenBefore = Object.fromEntries(stage.writes.map(({ object }) => [`HTTPRoute/backend/${object.name}`, before]));
  return { opId, target: { cluster: 'demo', namespace: 'backend', name: 'backend' }, stage, tokenBefore, as };
}
const apply = (input: ApplyInput) => applyStage(deps, input, signal);
function undo(opId: string, objects: readonly KubeObject[], stages: readonly PlannedStage[], holder: 'operation' | { stage: number }) {
  return restore(deps, routes.restoreInputOf(opId, objects, stages, holder), { signal });
}
const first = (stages: readonly PlannedStage[], number = 1): PlannedStage => stages[number - 1] as PlannedStage;

describe('who may write', () => {
  test('a member of the group writes forward; somebody in another group gets the reason, and nothing changes', async () => {
    const route = await routes.createRoute(world, 'groups');
    const [stage] = routes.stagesFor([route], [10]);
    const guest = await apply(applyOf('canary-a1', stage as PlannedStage, null, { user: 'guest@example.com', groups: ['mesh-guests'] }));
    expect(guest).toMatchObject({ kind: 'forbidden', words: expect.stringContaining('guest@example.com') });
    expect(await routes.readRoute(world, 'groups')).toEqual(route);
    // Two groups: joined by a comma they would be one strange group without rights.
    const both = await apply(
      applyOf('canary-a1', stage as PlannedStage, null, { user: 'guest@example.com', groups: ['mesh-guests', 'mesh-operators'] }),
    );
    expect(both).toMatchObject({ kind: 'applied' });
    expect(routes.weightsOf(await routes.readRoute(world, 'groups'))).toEqual([90, 10]);
  });

  test('an access review answers for the impersonated person', async () => {
    const right = { verb: 'patch', group: 'gateway.networking.k8s.io', resource: 'httproutes', namespace: 'backend', name: 'x' };
    expect(await bot.mayI(right, { signal, as: OPERATOR })).toMatchObject({ allowed: true });
    expect(await bot.mayI(right, { signal, as: { user: 'guest@example.com', groups: ['mesh-guests'] } })).toMatchObject({ allowed: false });
  });

  test('a group that the bot may not speak for is a clear refusal', async () => {
    const route = await routes.createRoute(world, 'masters');
    const result = await apply(
      applyOf('canary-a2', first(routes.stagesFor([route], [10])), null, { user: 'x', groups: ['system:masters'] }),
    );
    expect(result).toMatchObject({ kind: 'forbidden', words: expect.stringContaining('impersonate') });
  });
});

describe('what guards a write', () => {
  test.each([
    ['no annotations at all', undefined],
    ['other annotations', { team: 'mesh' }],
  ])('apply and undo on a route with %s leave it exactly as it was', async (name, annotations) => {
    const route = await routes.createRoute(world, `bare-${name.length}`, annotations);
    const stages = routes.stagesFor([route], [10]);
    const applied = await apply(applyOf('canary-b1', first(stages), null));
    expect(applied).toMatchObject({ kind: 'applied', generations: { [`HTTPRoute/backend/${route.metadata.name}`]: 2 } });
    expect(routes.tokenOn(await routes.readRoute(world, route.metadata.name))).toBe('canary-b1/1');
    expect(await undo('canary-b1', [route], stages, 'operation')).toMatchObject({
      kind: 'restored',
      exact: true,
      objects: [{ state: 'restored' }],
    });
    const now = await routes.readRoute(world, route.metadata.name);
    expect(now.spec).toEqual(route.spec);
    expect(now.metadata.annotations).toEqual(annotations);
    expect(await undo('canary-b1', [route], stages, 'operation')).toMatchObject({ exact: true, objects: [{ state: 'unchanged' }] });
  });

  test('a second attempt of the same stage sees that it is written', async () => {
    const route = await routes.createRoute(world, 'twice');
    const stages = routes.stagesFor([route], [10]);
    await apply(applyOf('canary-b2', first(stages), null));
    const written = await routes.readRoute(world, 'twice');
    expect(await apply(applyOf('canary-b2', first(stages), null))).toMatchObject({
      kind: 'applied',
      generations: { 'HTTPRoute/backend/twice': 2 },
    });
    expect(await routes.readRoute(world, 'twice')).toEqual(written);
  });

  test('a weight that somebody changed is drift, with the field and who wrote it', async () => {
    const route = await routes.createRoute(world, 'changed');
    await routes.jsonPatch(world, 'changed', [{ op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 70 }], 'kubectl-edit');
    const result = await apply(applyOf('canary-b3', first(routes.stagesFor([route], [10])), null));
    expect(result).toMatchObject({
      kind: 'drift',
      differences: [{ field: '/spec/rules/0/backendRefs/0/weight', expected: '100', found: '70', manager: 'kubectl-edit' }],
    });
    expect(routes.weightsOf(await routes.readRoute(world, 'changed'))).toEqual([70, 0]);
  });

  test('the apiserver itself refuses each guard that does not hold', async () => {
    const route = await routes.createRoute(world, 'guards');
    const good = {
      uid: route.metadata.uid,
      generation: 1,
      token: { from: null, to: 'canary-b4/1' },
      from: routes.fieldsOf(100, 0),
      to: routes.fieldsOf(90, 10),
      bare: true,
    };
    const bad = [
      { ...good, uid: 'another' },
      { ...good, generation: 2 },
      { ...good, from: routes.fieldsOf(80, 0) },
      { ...good, token: { from: 'canary-x/1', to: 'canary-b4/1' }, bare: false },
    ];
    for (const write of bad) {
      await expect(bot.patch(routes.routeRef('guards'), guardedPatch(write), { signal })).rejects.toMatchObject({ reason: 'Invalid' });
    }
    expect(await routes.readRoute(world, 'guards')).toEqual(route);
    await routes.mergePatch(world, 'guards', { metadata: { annotations: { [TOKEN_ANNOTATION]: 'canary-y/1' } } });
    await expect(bot.patch(routes.routeRef('guards'), guardedPatch(good), { signal })).rejects.toMatchObject({ reason: 'Invalid' });
    await expect(bot.patch(routes.routeRef('guards'), guardedPatch({ ...good, bare: false }), { signal })).rejects.toMatchObject({
      reason: 'Invalid',
    });
    expect(routes.weightsOf(await routes.readRoute(world, 'guards'))).toEqual([100, 0]);
  });

  test("a live operation's token holds the object; that of an operation that is over is taken over and put back", async () => {
    const held = await routes.createRoute(world, 'held', { [TOKEN_ANNOTATION]: 'canary-live/2' });
    const stages = routes.stagesFor([held], [10]);
    expect(await apply(applyOf('canary-b5', first(stages), null))).toMatchObject({ kind: 'held', token: 'canary-live/2' });
    const free = await routes.createRoute(world, 'free', { [TOKEN_ANNOTATION]: 'canary-over/3' });
    const own = routes.stagesFor([free], [10]);
    expect(await apply(applyOf('canary-b5', first(own), null))).toMatchObject({ kind: 'applied' });
    expect(await undo('canary-b5', [free], own, { stage: 1 })).toMatchObject({ kind: 'restored', exact: true });
    expect(routes.tokenOn(await routes.readRoute(world, 'free'))).toBe('canary-over/3');
  });

  test.each([null, 'canary-over/3'])('a late attempt of the first stage cannot write after the undo (token before: %s)', async (token) => {
    const name = token === null ? 'late-none' : 'late-over';
    const route = await routes.createRoute(world, name, token === null ? undefined : { [TOKEN_ANNOTATION]: token });
    const stages = routes.stagesFor([route], [10]);
    await apply(applyOf('canary-b6', first(stages), token));
    await undo('canary-b6', [route], stages, 'operation');
    expect(await apply(applyOf('canary-b6', first(stages), token))).toMatchObject({
      kind: 'drift',
      differences: [{ field: '/metadata/generation' }],
    });
    expect(routes.weightsOf(await routes.readRoute(world, name))).toEqual([100, 0]);
  });

  test('an unknown field is refused by the strict dry-run, and a good one changes nothing', async () => {
    const route = await routes.createRoute(world, 'strict');
    const bad = [{ op: 'add', path: '/spec/rules/0/weigth', value: 3 }] as const;
    await expect(bot.patch(routes.routeRef('strict'), bad, { signal, dryRun: true, as: OPERATOR })).rejects.toMatchObject({
      message: expect.stringContaining('unknown field "spec.rules[0].weigth"'),
    });
    const good = [{ op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 3 }] as const;
    expect(routes.weightsOf(await bot.patch(routes.routeRef('strict'), good, { signal, dryRun: true, as: OPERATOR }))).toEqual([3, 0]);
    expect(await routes.readRoute(world, 'strict')).toEqual(route);
  });

  test('status that moves meanwhile does not stop a write', async () => {
    const route = await routes.createRoute(world, 'busy');
    const stages = routes.stagesFor([route], [10]);
    const stop = new AbortController();
    const noise = (async () => {
      for (let n = 0; !stop.signal.aborted; n++) {
        const parents = [{ parentRef: { name: 'mesh' }, controllerName: 'io.cilium/gateway-controller', conditions: [condition(n)] }];
        await world.admin('PATCH', `${routes.ROUTES}/busy/status`, { status: { parents } }, 'application/merge-patch+json');
      }
    })();
    for (let round = 0; round < 10; round++) {
      const now = await routes.readRoute(world, 'busy');
      const [stage] = routes.stagesFor([now], [10]);
      expect(await apply(applyOf(`canary-n${round}`, stage as PlannedStage, null))).toMatchObject({ kind: 'applied' });
      expect(await undo(`canary-n${round}`, [now], [stage as PlannedStage], { stage: 1 })).toMatchObject({ kind: 'restored', exact: true });
    }
    stop.abort();
    await noise;
    expect(stages).toHaveLength(1);
  });
});

function condition(n: number) {
  return { type: 'Accepted', status: 'True', reason: 'Accepted', message: `${n}`, lastTransitionTime: new Date(n * 1000).toISOString() };
}

describe('the fence', () => {
  test('two overlapping attempts of one watch, then a later stage: the stale fuse ends as superseded and writes nothing', async () => {
    const route = await routes.createRoute(world, 'fence');
    const stages = routes.stagesFor([route], [10, 25]);
    await apply(applyOf('canary-c1', first(stages), null));
    // Attempt 1 of the watch of stage 1 is cut off. Attempt 2 calls the stage healthy, stage 2 is written.
    await apply(applyOf('canary-c1', first(stages, 2), tokenOf('canary-c1', 1)));
    const later = await routes.readRoute(world, 'fence');
    // Now attempt 1 comes back and believes that it must fire.
    const stale = await undo('canary-c1', [route], stages.slice(0, 1), { stage: 1 });
    expect(stale).toMatchObject({ kind: 'superseded', token: 'canary-c1/2' });
    expect(await routes.readRoute(world, 'fence')).toEqual(later);
    // The fuse of the stage in force does write, and a late one after it finds nothing to do.
    expect(await undo('canary-c1', [route], stages, { stage: 2 })).toMatchObject({ kind: 'restored', exact: true });
    const restored = await routes.readRoute(world, 'fence');
    expect(await undo('canary-c1', [route], stages, { stage: 2 })).toMatchObject({ kind: 'restored', objects: [{ state: 'unchanged' }] });
    expect(await undo('canary-c1', [route], stages.slice(0, 1), { stage: 1 })).toMatchObject({
      kind: 'restored',
      objects: [{ state: 'unchanged' }],
    });
    expect(await routes.readRoute(world, 'fence')).toEqual(restored);
  });

  test('a stale fuse leaves what a later operation, or a person without a token, has written', async () => {
    const route = await routes.createRoute(world, 'later');
    const stages = routes.stagesFor([route], [10]);
    await apply(applyOf('canary-c2', first(stages), null));
    await undo('canary-c2', [route], stages, { stage: 1 });
    const again = await routes.readRoute(world, 'later');
    const own = routes.stagesFor([again], [10]);
    await apply(applyOf('canary-c3', first(own), null));
    expect(await undo('canary-c2', [route], stages, { stage: 1 })).toMatchObject({ kind: 'superseded', token: 'canary-c3/1' });
    expect(await undo('canary-c2', [route], stages, 'operation')).toMatchObject({ kind: 'superseded', token: 'canary-c3/1' });
    await undo('canary-c3', [again], own, 'operation');
    await routes.jsonPatch(world, 'later', [{ op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 7 }]);
    const byHand = await routes.readRoute(world, 'later');
    expect(await undo('canary-c2', [route], stages, { stage: 1 })).toMatchObject({ kind: 'superseded', token: null });
    expect(await undo('canary-c2', [route], stages, 'operation')).toMatchObject({ kind: 'restored', objects: [{ state: 'drifted' }] });
    expect(await routes.readRoute(world, 'later')).toEqual(byHand);
  });

  test('a late apply of stage 1 does not undo stage 2', async () => {
    const route = await routes.createRoute(world, 'late-apply');
    const stages = routes.stagesFor([route], [10, 25]);
    await apply(applyOf('canary-c4', first(stages), null));
    await apply(applyOf('canary-c4', first(stages, 2), tokenOf('canary-c4', 1)));
    expect(await apply(applyOf('canary-c4', first(stages), null))).toMatchObject({ kind: 'held', token: 'canary-c4/2' });
    expect(routes.weightsOf(await routes.readRoute(world, 'late-apply'))).toEqual([75, 25]);
  });
});

describe('what an undo leaves alone', () => {
  test("another hand's weight stays, our own Service's weight goes back", async () => {
    const route = await routes.createRoute(world, 'drifted');
    const stages = routes.stagesFor([route], [10]);
    await apply(applyOf('canary-d1', first(stages), null));
    await routes.jsonPatch(world, 'drifted', [{ op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 55 }]);
    const result = await undo('canary-d1', [route], stages, { stage: 1 });
    expect(result).toMatchObject({
      kind: 'restored',
      exact: false,
      objects: [{ state: 'drifted', differences: [{ found: '55', manager: 'kubectl-edit' }] }],
    });
    const now = await routes.readRoute(world, 'drifted');
    expect(routes.weightsOf(now)).toEqual([55, 0]);
    expect(routes.tokenOn(now)).toBeUndefined();
  });

  test('our Service is followed when another hand put an entry before it', async () => {
    const route = await routes.createRoute(world, 'moved');
    const stages = routes.stagesFor([route], [10]);
    await apply(applyOf('canary-d2', first(stages), null));
    await routes.jsonPatch(world, 'moved', [
      { op: 'add', path: '/spec/rules/0/backendRefs/0', value: { name: 'third', port: 8080, weight: 5 } },
    ]);
    expect(await undo('canary-d2', [route], stages, 'operation')).toMatchObject({ exact: false, objects: [{ state: 'drifted' }] });
    expect(routes.weightsOf(await routes.readRoute(world, 'moved'))).toEqual([5, 100, 0]);
  });

  test('a route that was deleted is not recreated, and its namesake is not touched', async () => {
    const route = await routes.createRoute(world, 'deleted');
    const stages = routes.stagesFor([route], [10]);
    await apply(applyOf('canary-d3', first(stages), null));
    await world.admin('DELETE', `${routes.ROUTES}/deleted`);
    expect(await undo('canary-d3', [route], stages, { stage: 1 })).toMatchObject({
      kind: 'restored',
      exact: false,
      objects: [{ state: 'gone' }],
    });
    const namesake = await routes.createRoute(world, 'deleted');
    expect(await undo('canary-d3', [route], stages, 'operation')).toMatchObject({ objects: [{ state: 'gone' }] });
    expect(await routes.readRoute(world, 'deleted')).toEqual(namesake);
  });

  test('other fields that changed meanwhile stay, and are told as not exact', async () => {
    const route = await routes.createRoute(world, 'other-fields');
    const stages = routes.stagesFor([route], [10]);
    await apply(applyOf('canary-d4', first(stages), null));
    await routes.mergePatch(world, 'other-fields', { spec: { hostnames: ['mesh.example.com'] } });
    expect(await undo('canary-d4', [route], stages, { stage: 1 })).toMatchObject({
      kind: 'restored',
      exact: false,
      objects: [{ state: 'restored' }],
    });
    const now = await routes.readRoute(world, 'other-fields');
    expect(now.spec).toMatchObject({ hostnames: ['mesh.example.com'] });
    expect(routes.weightsOf(now)).toEqual([100, 0]);
  });

  test('several routes move in order; a drift half-way stops, and the undo puts the first back', async () => {
    const one = await routes.createRoute(world, 'many-1');
    const two = await routes.createRoute(world, 'many-2');
    const stages = routes.stagesFor([one, two], [10]);
    await routes.jsonPatch(world, 'many-2', [{ op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 55 }]);
    expect(await apply(applyOf('canary-d5', first(stages), null))).toMatchObject({ kind: 'drift' });
    expect(routes.weightsOf(await routes.readRoute(world, 'many-1'))).toEqual([90, 10]);
    const result = await undo('canary-d5', [one, two], stages, 'operation');
    expect(routes.weightsOf(await routes.readRoute(world, 'many-1'))).toEqual([100, 0]);
    expect(routes.weightsOf(await routes.readRoute(world, 'many-2'))).toEqual([55, 0]);
    expect(result).toMatchObject({ kind: 'restored', exact: false, objects: [{ state: 'restored' }, { state: 'drifted' }] });
  });

  test('a stripped token does not keep the undo of the operation from taking back its own weight; a fuse leaves it', async () => {
    const route = await routes.createRoute(world, 'stripped');
    const stages = routes.stagesFor([route], [10]);
    await apply(applyOf('canary-d6', first(stages), null));
    await routes.mergePatch(world, 'stripped', { metadata: { annotations: null } });
    expect(await undo('canary-d6', [route], stages, { stage: 1 })).toMatchObject({ kind: 'superseded', token: null });
    expect(await undo('canary-d6', [route], stages, 'operation')).toMatchObject({
      kind: 'restored',
      exact: true,
      objects: [{ state: 'drifted' }],
    });
    expect(routes.weightsOf(await routes.readRoute(world, 'stripped'))).toEqual([100, 0]);
  });
});
