import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WatchInput } from '../../../src/domain/lifecycle/contract.ts';
import { objectKey, type Plan, type PlannedStage, TOKEN_ANNOTATION } from '../../../src/domain/lifecycle/plan.ts';
import { accept, arrangeMesh, canaryRig, planIn, SETTINGS, setReady, shiftInput, viewOf } from '../support/canary.ts';
import { grantRights, startTestCluster, type TestCluster } from '../support/cluster.ts';
import { answerFlow } from '../support/hubble.ts';
import { createRoute, mergePatch, ROUTES, readRoute, tokenOn, weightsOf } from '../support/routes.ts';

let world: TestCluster;
let rig: Awaited<ReturnType<typeof canaryRig>>;

beforeAll(async () => {
  world = await startTestCluster(new AbortController().signal);
  await world.admin('POST', '/api/v1/namespaces', { metadata: { name: 'backend' } });
  await grantRights(world);
  await arrangeMesh(world);
  rig = await canaryRig(world);
});
afterAll(async () => {
  rig?.stop();
  await world?.stop();
});
beforeEach(async () => {
  await world.admin('DELETE', `${ROUTES}/backend`).catch(() => undefined);
  await createRoute(world, 'backend');
  await accept(world, 'backend', 1);
});

const [FIRST] = [0] as const;
const stageOf = (plan: Plan): PlannedStage => plan.stages[FIRST] as PlannedStage;
const NO_TOKENS = { 'HTTPRoute/backend/backend': null };

async function applied(opId: string, percent = 10) {
  const input = shiftInput(percent, { opId });
  const plan = planIn(await rig.step('plan', input));
  const stage = stageOf(plan);
  const { requester, target } = input.request;
  const result = await rig.step('apply', { opId, target, stage, tokenBefore: NO_TOKENS, as: requester.kubernetes });
  if (result.kind !== 'applied') throw new Error(result.kind);
  return { plan, stage, generations: result.generations };
}

function watchOf(opId: string, plan: Plan, stage: PlannedStage, change: Partial<WatchInput> = {}): WatchInput {
  const written = [{ stage: stage.number, writes: stage.writes }];
  return {
    opId,
    target: plan.target,
    verb: 'canary',
    accepted: [],
    purpose: 'stage',
    stage,
    durationMs: 30_000,
    alpha: 0.001,
    settings: SETTINGS,
    plan,
    fuse: { opId, originals: plan.originals, written, holder: { stage: stage.number } },
    view: viewOf(opId),
    ...change,
  };
}

describe('the plan', () => {
  test('says what changes, with originals, hash and a dry run of every stage, and writes nothing', async () => {
    const before = await readRoute(world, 'backend');
    const plan = planIn(await rig.step('plan', shiftInput(25)));
    expect(plan).toMatchObject({ from: 'backend 100%, backend-canary 0%', to: 'backend 75%, backend-canary 25%' });
    expect(plan.stages.map(({ label }) => label)).toEqual(['1%', '5%', '10%', '25%']);
    expect(plan.originals).toMatchObject([{ uid: before.metadata.uid, token: null, digest: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(plan.planHash).toMatch(/^[0-9a-f]{64}$/);
    expect(planIn(await rig.step('plan', shiftInput(25))).planHash).toBe(plan.planHash);
    expect(await readRoute(world, 'backend')).toEqual(before);
  });

  test('a route not accepted in its present generation is refused with who and why', async () => {
    await accept(world, 'backend', 1, false);
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({
      code: 'NotAccepted',
      words: expect.stringContaining('NoMatchingListenerHostname'),
    });
    await accept(world, 'backend', 0);
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({
      code: 'NotAccepted',
      words: expect.stringContaining('generation 0, not 1'),
    });
  });

  test('a canary without a ready endpoint is refused; taking everything from it is not', async () => {
    await setReady(world, 'backend-canary', false);
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({ code: 'NotReady' });
    await setReady(world, 'backend-canary', true);
  });

  test('a canary whose pod is behind the other Service as well is refused, unless nothing is asked of it', async () => {
    const path = '/apis/discovery.k8s.io/v1/namespaces/backend/endpointslices';
    const { metadata, ...slice } = (await world.admin('GET', `${path}/backend-canary-1`)) as unknown as { metadata: { name: string } };
    const labels = { 'kubernetes.io/service-name': 'backend' };
    await world.admin('POST', path, { ...slice, metadata: { name: 'backend-too', labels } });
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({ code: 'SharedPod', words: expect.stringContaining('backend-canary-1') });
    await world.admin('DELETE', `${path}/backend-too`);
    expect(metadata.name).toBe('backend-canary-1');
    planIn(await rig.step('plan', shiftInput(10)));
  });

  test('somebody without the right is told before anybody is asked', async () => {
    expect(await rig.step('plan', shiftInput(10, { groups: ['mesh-guests'] }))).toMatchObject({
      code: 'Forbidden',
      words: expect.stringContaining('operator@example.com'),
    });
    expect(await rig.step('plan', shiftInput(10, { groups: ['system:masters'] }))).toMatchObject({
      code: 'Forbidden',
      words: expect.stringContaining('act as'),
    });
  });

  test("another operation's token names the holder; one that is over does not hold", async () => {
    await mergePatch(world, 'backend', { metadata: { annotations: { [TOKEN_ANNOTATION]: 'canary-other/2' } } });
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({ code: 'Held', words: expect.stringContaining('canary-other') });
    rig.over.add('canary-other');
    expect(planIn(await rig.step('plan', shiftInput(10))).originals).toMatchObject([{ token: 'canary-other/2' }]);
  });

  test('a route that Flagger writes is left to it', async () => {
    await mergePatch(world, 'backend', { metadata: { labels: { 'app.kubernetes.io/managed-by': 'flagger' } } });
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({ code: 'OtherManager' });
  });

  test('others that break the objective already are no control: refused with their figures, unless the canary is held to them', async () => {
    const [agent] = rig.agents;
    const at = Date.now() - 20_000;
    const stable = { pod: 'backend-1', address: '10.0.1.1' };
    for (let n = 0; n < 200; n++)
      agent?.ring.push({ kind: 'flow', flow: answerFlow('node-1', { ...stable, at: at + n * 10, status: n % 10 === 0 ? 503 : 200 }) });
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({
      code: 'StableFails',
      words: expect.stringMatching(
        /^backend breaks the objective of 1% already: 20 of 200 requests failed \(10%\) in the last minute.*--slo relative/,
      ),
    });
    const plan = planIn(await rig.step('plan', shiftInput(10, { settings: { slo: 'relative', budget: 30 } })));
    expect(plan.details).toMatchObject({ baseline: { requests: 200, failures: 20 } });
    expect(plan.watched).toEqual(
      expect.arrayContaining([
        'it does no worse than the others in the same requests, even where they break the objective',
        'at most 30 failures above the objective in the whole operation',
      ]),
    );
    for (let n = 0; n < 3_000; n++) agent?.ring.push({ kind: 'flow', flow: answerFlow('node-1', { ...stable, at: at + 5_000 + n }) });
    expect(planIn(await rig.step('plan', shiftInput(10))).watched[3]).toMatch(/^at most 1% of its requests fail/);
  });

  test('no agent may be out of sight, and Hubble must be on', async () => {
    rig.agents[1]?.stop();
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({ code: 'Blind', words: expect.stringContaining('node-2') });
    await rig.agents[1]?.restart();
    const config = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
    await world.admin('PATCH', config, { data: { 'enable-hubble': 'false' } }, 'application/merge-patch+json');
    expect(await rig.step('plan', shiftInput(10))).toMatchObject({ code: 'Blind', words: expect.stringContaining('enable-hubble') });
    await world.admin('PATCH', config, { data: { 'enable-hubble': 'true' } }, 'application/merge-patch+json');
  });
});

describe('one stage', () => {
  test('is in force when every parent has taken the written generation, and not before', async () => {
    const { stage, generations } = await applied('canary-s1');
    expect(generations).toEqual({ [objectKey(stage.writes[0]?.object as never)]: 2 });
    expect(await rig.step('realised', { stage, generations, timeoutMs: 300 })).toMatchObject({
      kind: 'not-realised',
      words: expect.stringContaining('generation 1, not 2'),
    });
    const waiting = rig.step('realised', { stage, generations, timeoutMs: 5_000 });
    await accept(world, 'backend', 2);
    expect(await waiting).toMatchObject({ kind: 'realised' });
  });

  test('a canary that fails is put back by the watch itself, exactly, from flows of the agents', async () => {
    const { plan, stage } = await applied('canary-s2');
    const watching = rig.step('watch', watchOf('canary-s2', plan, stage));
    const traffic = setInterval(() => {
      const status = 500;
      rig.agents[0]?.ring.push({ kind: 'flow', flow: answerFlow('node-1', { pod: 'backend-canary-1', address: '10.0.14.1', status }) });
      rig.agents[1]?.ring.push({ kind: 'flow', flow: answerFlow('node-2', { pod: 'backend-1', address: '10.0.7.1' }) });
    }, 10);
    const result = await watching.finally(() => clearInterval(traffic));
    expect(result).toMatchObject({ verdict: { kind: 'harmful', judge: 'objective' }, fuse: { result: { kind: 'restored', exact: true } } });
    expect(result.counts.stable).toMatchObject({ failures: 0 });
    const route = await readRoute(world, 'backend');
    expect(weightsOf(route)).toEqual([100, 0]);
    expect(tokenOn(route)).toBeUndefined();
  });

  test('a canary whose last endpoint goes away is put back', async () => {
    const { plan, stage } = await applied('canary-s3');
    const watching = rig.step('watch', watchOf('canary-s3', plan, stage));
    await setReady(world, 'backend-canary', false);
    expect(await watching).toMatchObject({ verdict: { kind: 'harmful', judge: 'readiness' }, fuse: { result: { exact: true } } });
    await setReady(world, 'backend-canary', true);
  });

  test('another hand on the weights is drift, named, and nothing is written', async () => {
    const { plan, stage } = await applied('canary-s4');
    const watching = rig.step('watch', watchOf('canary-s4', plan, stage));
    await world.admin(
      'PATCH',
      `${ROUTES}/backend?fieldManager=somebody`,
      [{ op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 40 }],
      'application/json-patch+json',
    );
    expect(await watching).toMatchObject({ verdict: { kind: 'drift', manager: 'somebody' } });
    expect(weightsOf(await readRoute(world, 'backend'))).toEqual([90, 40]);
  });

  test('a healthy canary is healthy, and a node that goes away makes the watch blind', async () => {
    const { plan, stage } = await applied('canary-s5');
    const good = rig.step('watch', watchOf('canary-s5', plan, stage, { durationMs: 1_500 }));
    const traffic = setInterval(() => {
      rig.agents[0]?.ring.push({ kind: 'flow', flow: answerFlow('node-1', { pod: 'backend-canary-2', address: '10.0.14.2' }) });
    }, 20);
    expect(await good.finally(() => clearInterval(traffic))).toMatchObject({ verdict: { kind: 'healthy' } });
    const blind = rig.step('watch', watchOf('canary-s5', plan, stage, { durationMs: 10_000 }));
    rig.agents[1]?.stop();
    expect(await blind).toMatchObject({ verdict: { kind: 'blind', words: expect.stringContaining('node-2') } });
    await rig.agents[1]?.restart();
  });
});

test('the way back takes back the last completed operation, and only where its values still stand', async () => {
  const { plan, stage } = await applied('canary-r1');
  rig.over.add('canary-r1');
  const back = await canaryRig(world, { completed: async () => ({ opId: 'canary-r1', originals: plan.originals, last: stage }) });
  try {
    back.over.add('canary-r1');
    const input = shiftInput(0, { opId: 'canary-r2' });
    const request = { ...input.request, change: { kind: 'back' } as const };
    const way = planIn(await back.step('plan', { ...input, request }));
    expect(way).toMatchObject({ from: 'backend 90%, backend-canary 10%', to: 'backend 100%, backend-canary 0%' });
    const tokenBefore = { 'HTTPRoute/backend/backend': 'canary-r1/1' };
    const done = await back.step('apply', {
      opId: 'canary-r2',
      target: plan.target,
      stage: stageOf(way),
      tokenBefore,
      as: request.requester.kubernetes,
    });
    expect(done.kind).toBe('applied');
    expect(weightsOf(await readRoute(world, 'backend'))).toEqual([100, 0]);
    expect(await back.step('plan', { ...input, request })).toMatchObject({ code: 'Drifted' });
  } finally {
    back.stop();
  }
});

test('a way back to a Service without ready endpoints asks first, whatever the rules leave free', async () => {
  const weights = [
    { op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 0 },
    { op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 100 },
  ];
  await world.admin('PATCH', `${ROUTES}/backend`, weights, 'application/json-patch+json');
  await accept(world, 'backend', 2);
  const input = shiftInput(0);
  const explicit = {
    ...input,
    request: {
      ...input.request,
      target: { ...input.request.target, name: 'backend-canary' },
      change: { kind: 'shift', percent: 0, explicit: true } as const,
    },
  };
  expect(planIn(await rig.step('plan', explicit))).toMatchObject({ lowers: true });
  expect(planIn(await rig.step('plan', explicit))).not.toHaveProperty('ask');
  await setReady(world, 'backend', false);
  try {
    const plan = planIn(await rig.step('plan', explicit));
    expect(plan).toMatchObject({
      lowers: true,
      ask: expect.stringContaining('backend would get 100% of the requests and has no ready endpoint'),
    });
    expect(plan.explanation[0]).toBe(plan.ask);
  } finally {
    await setReady(world, 'backend', true);
  }
});
