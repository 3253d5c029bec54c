import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { inspect } from '../../../activities/writes/inspect.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { type Plan, TOKEN_ANNOTATION } from '../../../src/domain/lifecycle/plan.ts';
import { COHORT_LABEL } from '../../../src/domain/policy/stages/rule-document.ts';
import { FULL } from '../../domain/policy/stages/documents.ts';
import { planIn } from '../support/canary.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { addPod, arrangeWorkload, Driver, enforce, PODS, POLICIES, type PolicyRig, planInput, policyRig } from '../support/policy.ts';
import { verdictFlow } from './flows.ts';

let world: TestCluster;
let rig: PolicyRig;
let operations = 0;
const nextOp = (): string => `policy-t${++operations}`;

beforeAll(async () => {
  world = await startTestCluster(new AbortController().signal);
  await arrangeWorkload(world);
  rig = await policyRig(world);
  // The apiserver takes a moment to open the storage of a new kind.
  for (let tries = 0; tries < 50 && (await world.admin('GET', POLICIES).catch(() => undefined)) === undefined; tries++) await sleep(200);
});
afterAll(async () => {
  rig?.stop();
  await world?.stop();
});
afterEach(async () => {
  await world.admin('DELETE', POLICIES);
  rig.rig.completed = undefined;
  // Whatever a test has left on pods belongs to an operation that is over.
  for (let number = 1; number <= operations; number++) rig.over.add(`policy-t${number}`);
});

interface Listed {
  readonly items: readonly {
    readonly metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
    readonly spec?: JsonObject;
    readonly specs?: readonly JsonObject[];
  }[];
}
const list = async (path: string) => ((await world.admin('GET', path)) as unknown as Listed).items;
const names = async () => (await list(POLICIES)).map(({ metadata }) => metadata.name).toSorted();
const cohort = async () => (await list(PODS)).filter(({ metadata }) => metadata.labels?.[COHORT_LABEL]).length;
/** Pods and policies as people and controllers wrote them. */
async function state() {
  const [pods, policies] = await Promise.all([list(PODS), list(POLICIES)]);
  return [...pods, ...policies].map(({ metadata: { name, labels, annotations }, spec, specs }) => ({
    name,
    labels,
    annotations,
    spec,
    specs,
  }));
}

async function planned(opId: string, change = enforce()): Promise<Driver> {
  return new Driver(rig, world, opId, planIn(await rig.step('plan', planInput(opId, change))));
}

describe('the plan', () => {
  test('says who is selected, what comes first, and writes nothing', async () => {
    const before = await state();
    const plan: Plan = planIn(await rig.step('plan', planInput('policy-p', enforce())));
    expect(plan.stages.map(({ label }) => label)).toEqual([
      'observe',
      ...['ingress', 'egress', 'L7'].flatMap((phase) => [`${phase}, 1 pod of 4`, `${phase}, 2 pods of 4`, `${phase}, all pods`]),
    ]);
    expect(plan).toMatchObject({ verb: 'policy', from: 'no policy frontend', to: 'policy frontend enforced on 4 pods' });
    expect(plan.explanation.join(' ')).toContain('selects 4 pods');
    expect(planIn(await rig.step('plan', planInput('policy-p', enforce()))).planHash).toBe(plan.planHash);
    expect(await state()).toEqual(before);
  });

  test.each([
    [
      'a policy that would not do what it says',
      enforce({ candidate: { document: withL7Action(), sha256: '', source: 't' } }),
      {},
      'Lint',
      'action',
    ],
    ['somebody without the right', enforce(), { groups: ['meshops:reviewers'] }, 'Forbidden', 'ciliumnetworkpolicies'],
    [
      'a policy that does not select the workload',
      enforce({ candidate: { document: forOthers(), sha256: '', source: 't' } }),
      {},
      'NotSelected',
      'endpointSelector',
    ],
    ['a way back from nothing', { kind: 'back' } as const, {}, 'NothingToRelax', 'policy status frontend/frontend'],
  ])('refuses %s', async (_, change, { groups }: { groups?: readonly string[] }, code, words) => {
    const result = await rig.step('plan', planInput('policy-p', change, groups));
    expect(result).toMatchObject({ kind: 'impossible', code, words: expect.stringContaining(words) });
  });

  test('a label that is no part of identities is refused', async () => {
    const config = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
    await world.admin('PATCH', config, { data: { labels: 'k8s:app' } }, 'application/merge-patch+json');
    const result = await rig.step('plan', planInput('policy-p', enforce()));
    await world.admin('PATCH', config, { data: { labels: null } }, 'application/merge-patch+json');
    expect(result).toMatchObject({ kind: 'impossible', words: expect.stringContaining(COHORT_LABEL) });
  });

  test('beside another default deny there is no shadow in that direction, and the plan says why', async () => {
    const spec = { endpointSelector: {}, ingress: [{ fromEntities: ['cluster'] }] };
    await world.admin('POST', POLICIES, { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'other' }, spec });
    const plan = planIn(await rig.step('plan', planInput('policy-p', enforce())));
    expect(plan.details).toMatchObject({ shadow: { directions: ['egress'] } });
    expect(plan.explanation.join(' ')).toContain('No shadow watches ingress: CiliumNetworkPolicy frontend/other');
  });
});

describe('a rollout', () => {
  test('goes live stage by stage and ends as the candidate to the letter, with no label and no shadow left', async () => {
    const run = await planned(nextOp());
    await run.expose(1);
    expect(await names()).toEqual([`meshops-${run.opId}-shadow`]);
    await run.expose(2);
    expect([await cohort(), (await names()).includes('frontend')]).toEqual([1, true]);
    await run.expose(3);
    expect(await cohort()).toBe(2);
    for (let number = 4; number <= 10; number++) await run.expose(number);
    expect(await cohort()).toBe(0);
    expect(await names()).toEqual(['frontend']);
    expect((await list(POLICIES))[0]).toMatchObject({
      spec: FULL['spec'] as JsonObject,
      metadata: { annotations: { [TOKEN_ANNOTATION]: `${run.opId}/10` } },
    });
    rig.over.add(run.opId);
  });

  test.each([1, 2, 3, 4, 5, 10])('the undo after stage %i leaves exactly what was before', async (last) => {
    const before = await state();
    const run = await planned(nextOp());
    for (let number = 1; number <= last; number++) await run.expose(number);
    const result = await rig.step('restore', run.restoreInput('operation'));
    expect(result).toMatchObject({ kind: 'restored', exact: true });
    expect(await state()).toEqual(before);
    expect(await rig.step('restore', run.restoreInput('operation'))).toMatchObject({ kind: 'restored', exact: true });
  });

  test('a policy of the same name is put back as it was', async () => {
    const spec = { endpointSelector: { matchLabels: { app: 'frontend' } }, ingress: [{ fromEntities: ['cluster'] }] };
    await world.admin('POST', POLICIES, { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'frontend' }, spec });
    const before = await state();
    const run = await planned(nextOp());
    for (const { number } of run.plan.stages.slice(0, 5)) await run.expose(number);
    expect(await rig.step('restore', run.restoreInput('operation'))).toMatchObject({ kind: 'restored', exact: true });
    expect(await state()).toEqual(before);
  });

  test('a pod that goes meanwhile is passed over, a new one stays outside until all are reached', async () => {
    const run = await planned(nextOp());
    await run.expose(1);
    await run.expose(2);
    const first = run.stage(2).writes[1]?.object.name ?? '';
    await world.admin('DELETE', `${PODS}/${first}?gracePeriodSeconds=0`);
    await addPod(world, 5);
    expect(await run.expose(3)).toMatchObject({ kind: 'applied' });
    expect(await cohort()).toBe(1);
    expect(await run.expose(4)).toMatchObject({ kind: 'applied' });
    const result = await rig.step('restore', run.restoreInput('operation'));
    expect(result).toMatchObject({ kind: 'restored', exact: true });
    expect(
      result.kind === 'restored' && result.objects.filter(({ state: found }) => found === 'gone').map(({ object }) => object.name),
    ).toEqual([first]);
  });

  /** What the record of a completed rollout says. */
  const recorded = (run: Driver) => ({
    opId: run.opId,
    originals: run.plan.originals,
    last: run.plan.stages.at(-1) as Plan['stages'][number],
    written: run.written,
    endedAt: 1,
  });

  test('is rolled back to nothing: the plan says what becomes reachable again, and the policy goes', async () => {
    const run = await planned(nextOp(), enforce({ observe: false }));
    for (const { number } of run.plan.stages) await run.expose(number);
    rig.over.add(run.opId);
    rig.rig.completed = recorded(run);
    const back = await planned(nextOp(), { kind: 'back' });
    expect(back.plan).toMatchObject({ lowers: true, back: { of: run.opId }, to: 'no policy frontend' });
    expect(back.plan.explanation.join(' ')).toMatch(/What becomes reachable again: Ingress: from everybody else/);
    // The plan has tried the removal as a dry run only.
    expect(await names()).toEqual(['frontend']);
    expect(await back.expose(1)).toMatchObject({ kind: 'applied' });
    expect(await names()).toEqual([]);
    expect(await cohort()).toBe(0);
  });

  test('is rolled back to the policy that was there, and refused where somebody else has changed it', async () => {
    const loose = {
      ...FULL,
      spec: {
        endpointSelector: { matchLabels: { app: 'frontend' } },
        ingress: [{ fromEntities: ['all'] }],
        egress: [{ toEntities: ['all'] }],
      },
    };
    await world.admin('POST', POLICIES, loose);
    const run = await planned(nextOp(), enforce({ observe: false }));
    for (const { number } of run.plan.stages) await run.expose(number);
    rig.over.add(run.opId);
    rig.rig.completed = recorded(run);
    const back = await planned(nextOp(), { kind: 'back' });
    expect(back.plan).toMatchObject({ lowers: true, to: 'policy frontend as it was before' });
    await back.expose(1);
    expect((await list(POLICIES))[0]?.spec).toEqual(loose.spec);
    expect(await rig.step('plan', planInput('policy-p', { kind: 'back' }))).toMatchObject({ kind: 'impossible', code: 'Drifted' });
    rig.rig.completed = { ...recorded(run), isWayBack: true };
    expect(await rig.step('plan', planInput('policy-p', { kind: 'back' }))).toMatchObject({ kind: 'impossible', code: 'AlreadyBack' });
    rig.over.add(back.opId);
  });

  test('is rolled back as a forward change where that closes something, and its fuse can put it back', async () => {
    const spec = { endpointSelector: {}, ingress: [{ fromEntities: ['health'] }] };
    await world.admin('POST', POLICIES, { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'other' }, spec });
    const run = await planned(nextOp(), enforce({ observe: false }));
    for (const { number } of run.plan.stages) await run.expose(number);
    rig.over.add(run.opId);
    rig.rig.completed = recorded(run);
    const before = await state();
    const back = await planned(nextOp(), { kind: 'back' });
    expect(back.plan).toMatchObject({ lowers: false });
    expect(back.plan.explanation.join(' ')).toMatch(/forward change.*What is closed by it/s);
    await back.expose(1);
    const result = await rig.step('restore', back.restoreInput('operation'));
    expect(await state()).toEqual(before);
    expect(result).toMatchObject({ exact: true });
    rig.over.add(back.opId);
  });

  test('a namespace is bootstrapped over all of its pods', async () => {
    const run = await planned(nextOp(), { kind: 'bootstrap', windowMs: 1_000 });
    expect(run.plan.stages.at(-1)?.label).toBe('egress, all pods');
    for (const { number } of run.plan.stages) await run.expose(number);
    expect(await names()).toEqual(['meshops-baseline']);
    rig.over.add(run.opId);
  });
});

describe('the watch', () => {
  test('a drop of a peer inside, on a cohort pod, puts everything back at once', async () => {
    const before = await state();
    const run = await planned(nextOp());
    await run.expose(1);
    await run.expose(2);
    const pod = run.stage(2).writes[1]?.object.name ?? '';
    const watching = rig.step('watch', run.watchInput(2));
    const timer = setInterval(
      () => rig.agents[0]?.ring.push({ kind: 'flow', flow: verdictFlow('node-1', { pod, app: 'legacy', verdict: 'DROPPED' }) }),
      200,
    );
    const result = await watching.finally(() => clearInterval(timer));
    expect(result).toMatchObject({ verdict: { kind: 'harmful', judge: 'drops' }, fuse: { result: { kind: 'restored', exact: true } } });
    expect(result.verdict.words).toContain('from legacy/legacy to port 8080/TCP');
    expect(await state()).toEqual(before);
  });

  test('connections that go through are counted for the cohort, and nothing is found', async () => {
    const run = await planned(nextOp());
    await run.expose(1);
    await run.expose(2);
    const pod = run.stage(2).writes[1]?.object.name ?? '';
    const watching = rig.step('watch', run.watchInput(2, { durationMs: 1_500 }));
    const timer = setInterval(() => rig.agents[0]?.ring.push({ kind: 'flow', flow: verdictFlow('node-1', { pod }) }), 200);
    const result = await watching.finally(() => clearInterval(timer));
    expect(result.verdict.kind).toBe('healthy');
    expect(result.counts.canary.requests).toBeGreaterThan(2);
    await rig.step('restore', run.restoreInput('operation'));
  });

  test('a scan from the world is asked about, and once it is accepted it goes on unasked', async () => {
    const run = await planned(nextOp());
    await run.expose(1);
    await run.expose(2);
    const pod = run.stage(2).writes[1]?.object.name ?? '';
    let port = 1;
    const scan = (): void => {
      const flow = verdictFlow('node-1', { pod, address: '198.51.100.7', verdict: 'DROPPED', port: port++ });
      rig.agents[0]?.ring.push({ kind: 'flow', flow });
      // What came before the stage comes under it as well: without that nobody would call it healthy.
      rig.agents[0]?.ring.push({ kind: 'flow', flow: verdictFlow('node-1', { pod }) });
    };
    const timer = setInterval(scan, 50);
    const asked = await rig.step('watch', run.watchInput(2));
    expect(asked.verdict).toMatchObject({ kind: 'doubtful', doubts: [{ key: 'ingress/world:198.51.100.7/*/*' }] });
    const again = await rig
      .step('watch', run.watchInput(2, { accepted: ['ingress/world:198.51.100.7/*/*'], durationMs: 3_000 }))
      .finally(() => clearInterval(timer));
    expect(again.verdict.kind).toBe('healthy');
    await rig.step('restore', run.restoreInput('operation'));
  });

  test('a late fuse of an earlier stage touches nothing', async () => {
    const run = await planned(nextOp());
    for (const number of [1, 2, 3]) await run.expose(number);
    const before = await state();
    expect(await rig.step('restore', run.restoreInput({ stage: 2 }))).toMatchObject({ kind: 'superseded' });
    expect(await state()).toEqual(before);
    await rig.step('restore', run.restoreInput('operation'));
  });

  test.each(['restore', 'adopt'] as const)(
    'a policy of our own making that somebody has replaced: %s makes it ours again, and the undo removes it',
    async (choice) => {
      const run = await planned(nextOp());
      await run.expose(1);
      await run.expose(2);
      const foreign = { endpointSelector: { matchLabels: { app: 'nobody' } }, ingress: [{}] };
      // As kubectl replace does it: the whole object, without our token.
      const { metadata, ...rest } = FULL;
      const live = (await world.admin('GET', `${POLICIES}/frontend`)) as unknown as { metadata: { resourceVersion: string } };
      const { resourceVersion } = live.metadata;
      await world.admin('PUT', `${POLICIES}/frontend`, {
        ...rest,
        metadata: { ...(metadata as JsonObject), resourceVersion },
        spec: foreign,
      });
      const inspection = await inspect(rig, run.inspectInput(2), AbortSignal.timeout(10_000));
      expect(inspection.stuck).toBeUndefined();
      expect(inspection.differences.map(({ field }) => field)).toContain('/spec');
      const stage = await run.takeUp(run.stage(2), inspection, choice, 20);
      const [policy] = (await list(POLICIES)).filter(({ metadata: { name } }) => name === 'frontend');
      expect(policy?.metadata.annotations?.[TOKEN_ANNOTATION]).toBe(`${run.opId}/20`);
      if (choice === 'adopt') expect(policy?.spec).toEqual(foreign);
      else expect(policy?.specs).toEqual(run.stage(2).writes.find(({ object }) => object.name === 'frontend')?.after['/specs']);
      expect(stage.number).toBe(20);
      expect((await inspect(rig, run.inspectInput(20), AbortSignal.timeout(10_000))).differences).toEqual([]);
      expect(await rig.step('restore', run.restoreInput('operation'))).toMatchObject({ kind: 'restored', exact: true });
      expect(await names()).toEqual([]);
    },
  );

  test('a policy of our own making that somebody has made again is not ours any more: nothing to choose', async () => {
    const run = await planned(nextOp());
    await run.expose(1);
    await run.expose(2);
    await world.admin('DELETE', `${POLICIES}/frontend`);
    await world.admin('POST', POLICIES, FULL);
    const { stuck } = await inspect(rig, run.inspectInput(2), AbortSignal.timeout(10_000));
    expect(stuck).toContain('deleted, replaced or made again');
    await rig.step('restore', run.restoreInput('operation'));
    expect(await names()).toEqual(['frontend']);
  });

  test('somebody who changes the policy is told as drift', async () => {
    const run = await planned(nextOp());
    await run.expose(1);
    await run.expose(2);
    await world.admin('PATCH', `${POLICIES}/frontend`, { specs: null, spec: FULL['spec'] }, 'application/merge-patch+json');
    expect((await rig.step('watch', run.watchInput(2))).verdict).toMatchObject({
      kind: 'drift',
      object: 'CiliumNetworkPolicy/frontend/frontend',
    });
    await rig.step('restore', run.restoreInput('operation'));
  });
});

describe('what fences objects that come and go', () => {
  test('a claim that comes out of a partition after the undo makes nothing that selects anybody', async () => {
    const run = await planned(nextOp());
    await run.expose(1);
    await run.expose(2);
    await rig.step('restore', run.restoreInput('operation'));
    const writes = run.stage(2).writes.slice(0, 1);
    const claim = { number: 0, label: 'claim', exposure: 0, writes: writes.map((one) => ({ ...one, after: one.before })) };
    expect(await run.again(claim, {})).toMatchObject({ kind: 'applied' });
    // What a late stage then finds is not its predecessor's token.
    expect(await run.again({ ...run.stage(4), writes: run.stage(4).writes.slice(0, 1) })).toMatchObject({ kind: 'held' });
    const [made] = await list(POLICIES);
    expect(JSON.stringify(made?.specs)).toContain(`${run.opId}-nobody`);
    expect(await rig.step('restore', run.restoreInput('operation'))).toMatchObject({ kind: 'restored', exact: true });
    expect(await names()).toEqual([]);
  });

  test('a name that was taken meanwhile is drift, and the taker is left alone', async () => {
    const run = await planned(nextOp());
    await run.expose(1);
    await world.admin('POST', POLICIES, FULL);
    expect(await run.expose(2)).toMatchObject({ kind: 'drift' });
    expect(await rig.step('restore', run.restoreInput('operation'))).toMatchObject({ kind: 'restored', exact: false });
    expect(await names()).toEqual(['frontend']);
  });

  test('an attempt that is repeated changes nothing, a deletion neither', async () => {
    const run = await planned(nextOp(), enforce({ kind: 'observe' }));
    await run.expose(1);
    const [before] = await list(POLICIES);
    await run.again(run.stage(1), { [`CiliumNetworkPolicy/frontend/${before?.metadata.name}`]: `${run.opId}/0` });
    expect((await list(POLICIES))[0]?.specs).toEqual(before?.specs);
    await run.expose(2);
    expect(await names()).toEqual([]);
    expect(await run.again(run.stage(2))).toMatchObject({ kind: 'applied' });
  });

  test('a policy of ours that somebody has taken the token off is still removed; one that they changed is left, and told', async () => {
    const strip = { metadata: { annotations: { [TOKEN_ANNOTATION]: null } } };
    for (const [change, left] of [
      [{}, []],
      [{ specs: null, spec: FULL['spec'] }, ['frontend']],
    ] as const) {
      const run = await planned(nextOp());
      await run.expose(1);
      await run.expose(2);
      await world.admin('PATCH', `${POLICIES}/frontend`, { ...strip, ...change }, 'application/merge-patch+json');
      expect(await rig.step('restore', run.restoreInput('operation'))).toMatchObject({ kind: 'restored', exact: left.length === 0 });
      expect(await names()).toEqual(left);
    }
  });
});

function withL7Action(): JsonObject {
  const spec = FULL['spec'] as JsonObject;
  const ports = [{ port: '8080', protocol: 'TCP' }];
  return { ...FULL, spec: { ...spec, ingress: [{ toPorts: [{ ports, rules: { http: [{ path: '/admin', action: 'DENY' }] } }] }] } };
}

function forOthers(): JsonObject {
  return { ...FULL, spec: { ...(FULL['spec'] as JsonObject), endpointSelector: { matchLabels: { app: 'other' } } } };
}
