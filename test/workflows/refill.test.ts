import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';
import type { Verdict } from '../../src/domain/judge/verdict.ts';
import type { ApplyInput, RestoreInput, WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { AuditRecord, OperationView } from '../../src/domain/lifecycle/operation.ts';
import { type Original, objectKey, type Plan, type PlannedStage, type Write } from '../../src/domain/lifecycle/plan.ts';
import { COHORT_POINTER } from '../../src/domain/policy/stages/stages.ts';
import { counts, decisionOn, FakeMesh, fakes, healthy, operator, request, reviewer, watched } from '../support/operations.ts';
import { type FakeActivity, type Reply, Simulator } from '../support/simulator.ts';

interface Life {
  readonly name: string;
  readonly uid: string;
}

function writeOf({ name, uid }: Life): Write {
  const object = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name };
  return { object, uid, generation: 0, before: { [COHORT_POINTER]: null }, after: { [COHORT_POINTER]: 'op' } };
}

function originalOf(life: Life): Original {
  return { ...writeOf(life), fields: { [COHORT_POINTER]: null }, token: null, digest: life.uid };
}

const podsIn = ({ writes }: PlannedStage) => writes.flatMap(({ object, uid }) => (object.kind === 'Pod' ? [uid] : []));
const silent: Verdict = { kind: 'no-traffic', counts: counts(0, 0), needed: 1, words: '1 of the 1 pods of this step were replaced' };

/** One stage with one pod. `lives`: which pod is there each time that it is looked; `verdicts`: of the watches of the stage, then healthy. */
async function playing(lives: readonly Life[], verdicts: readonly Verdict[], isFrozen: () => boolean = () => false) {
  const mesh = new FakeMesh();
  const watches: WatchInput[] = [];
  const applied: ApplyInput[] = [];
  const undone: RestoreInput[] = [];
  const entries = Object.entries(
    fakes(mesh, [10], (input) => {
      if (input.purpose !== 'stage') return { ...watched(mesh, input, healthy), afterMs: input.durationMs };
      watches.push(input);
      return { ...watched(mesh, input, verdicts[watches.length - 1] ?? healthy), afterMs: input.durationMs };
    }),
  );
  const all: Record<string, FakeActivity> = Object.fromEntries(entries.map(([name, fake]) => [name.replace('canary.', 'policy.'), fake]));
  const asIs = (name: string) => all[name] as (input: unknown, context: unknown) => Reply;
  let fills = 0;
  const kept: AuditRecord[] = [];
  const activities = {
    ...all,
    record: ((input: { records: AuditRecord[] }) => {
      kept.push(...input.records);
      return { value: undefined };
    }) as FakeActivity,
    frozen: (() => ({ value: isFrozen() ? { reason: 'rest', by: 'x', until: null } : null })) as FakeActivity,
    'policy.plan': ((input: unknown, context: unknown) => {
      const { value } = asIs('policy.plan')(input, context) as { value: { plan: Plan } };
      const [stage] = value.plan.stages;
      const [first] = lives;
      if (!stage || !first) throw new Error('nothing to plan');
      const { plan } = value;
      const stages = [{ ...stage, writes: [...stage.writes, writeOf(first)] }];
      return { value: { kind: 'plan', plan: { ...plan, stages, originals: [...plan.originals, originalOf(first)] } } };
    }) as FakeActivity,
    'policy.apply': ((input: ApplyInput, context: unknown) => {
      applied.push(input);
      const writes = input.stage.writes.filter(({ object }) => object.kind !== 'Pod');
      const others = { ...input, stage: { ...input.stage, writes } };
      return writes.length > 0 ? asIs('policy.apply')(others, context) : { value: { kind: 'applied', generations: {}, mixedMs: 0, at: 0 } };
    }) as FakeActivity,
    'policy.restore': ((input: RestoreInput, context: unknown) => {
      undone.push(input);
      return asIs('policy.restore')(input, context);
    }) as FakeActivity,
    fill: (({ stage }: { stage: PlannedStage }) => {
      const life = lives[Math.min(fills, lives.length - 1)] as Life;
      const isNew = fills > 0 && life !== lives[fills - 1];
      fills += 1;
      const others = stage.writes.filter(({ object }) => object.kind !== 'Pod');
      return { value: { stage: { ...stage, writes: [...others, writeOf(life)] }, originals: isNew ? [originalOf(life)] : [] } };
    }) as FakeActivity,
  };
  const asked = { ...request(), verb: 'policy' as const };
  const simulator = await Simulator.start('policy', asked, activities);
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.run(() => watches.length > 0);
  return {
    simulator,
    watches: () => watches.map(({ stage }) => podsIn(stage)),
    /** Pods of each write, the claims (stage 0) apart. */
    written: () => applied.filter(({ stage }) => stage.number > 0).flatMap(({ stage }) => [podsIn(stage)]),
    claimed: () => applied.filter(({ stage }) => stage.number === 0).flatMap(({ stage }) => podsIn(stage)),
    applied,
    undone,
    kept,
    soakMs: asked.settings.soakMs,
    view: async () => (await simulator.query('describe')) as OperationView,
  };
}

const [a, b] = [
  { name: 'backend-a', uid: 'a' },
  { name: 'backend-b', uid: 'b' },
];

describe('a stage whose pods were replaced', () => {
  it('is filled again by itself: others take their place, and it is watched anew without anybody being asked', async () => {
    const played = await playing([a, b], [silent]);
    await played.simulator.run();
    expect(played.simulator.result).toMatchObject({ kind: 'completed' });
    expect(played.written()).toEqual([['a'], ['b']]);
    expect(played.watches()).toEqual([['a'], ['a', 'b']]);
  });

  it('holds where nobody takes their place, and where it has been filled three times', async () => {
    const alone = await playing([a], [silent]);
    await alone.simulator.advance(alone.soakMs + 1_000);
    expect((await alone.view()).gate).toMatchObject({ kind: 'hold' });
    const restless = [0, 1, 2, 3, 4, 5].map((index) => ({ name: `backend-${index}`, uid: `${index}` }));
    const played = await playing(
      restless,
      Array.from({ length: 6 }, () => silent),
    );
    await played.simulator.advance(4 * (played.soakMs + 1_000));
    expect((await played.view()).gate).toMatchObject({ kind: 'hold' });
    expect(played.written()).toEqual([['0'], ['1'], ['2'], ['3']]);
    // People may still have it filled once more.
    await played.simulator.update('decide', await decisionOn(played.simulator, operator, 'extend'));
    await played.simulator.run(() => played.watches().length === 5);
    expect(played.written().at(-1)).toEqual(['4']);
  });

  it('is not filled by itself while a freeze forbids to go on', async () => {
    let isFrozen = false;
    const played = await playing([a, b], [silent], () => isFrozen);
    isFrozen = true;
    await played.simulator.advance(played.soakMs + 1_000);
    expect((await played.view()).gate).toMatchObject({ kind: 'hold' });
    expect(played.written()).toEqual([['a']]);
  });

  it('takes a pod that came back under its name (StatefulSet) for another one: claimed anew, and put back as what it is', async () => {
    const again = { name: a.name, uid: 'again' };
    const harmful: Verdict = {
      kind: 'harmful',
      judge: 'drops',
      counts: counts(1, 1),
      firstHarmAt: 0,
      decidedAt: 0,
      logEvidence: 0,
      logThreshold: 0,
      words: 'dropped',
    };
    const played = await playing([a, again], [silent, harmful]);
    await played.simulator.run();
    expect(played.claimed()).toEqual(['a', 'again']);
    expect(played.written()).toEqual([['a'], ['again']]);
    const key = objectKey(writeOf(a).object);
    expect(played.applied.filter(({ stage }) => podsIn(stage).includes('again')).map(({ tokenBefore }) => tokenBefore[key])).toEqual([
      null,
      expect.stringMatching(/\/0$/),
    ]);
    const undo = played.undone.at(-1)?.originals.filter(({ object }) => objectKey(object) === key);
    expect(undo?.map(({ uid }) => uid)).toEqual(['again']);
  });

  it('is on record with the pods that have joined, before they are written: who ends a lost run puts them back as well', async () => {
    const played = await playing([a, b], [silent, silent]);
    await played.simulator.run(() => played.watches().length > 1);
    const db = await openDatabase(':memory:');
    const audit = createAudit(db);
    await audit.append(played.kept);
    const { opId } = await played.view();
    const lost = await audit.lost(opId);
    const pods = lost?.originals.filter(({ object }) => object.kind === 'Pod').map(({ uid }) => uid);
    expect(pods).toEqual(['a', 'b']);
    expect(lost?.stages.flatMap(podsIn)).toEqual(['a', 'b']);
    const order = played.kept.flatMap(({ kind, data }) => (kind === 'write' && data['stage'] === 1 ? [data['result']] : []));
    expect(order).toEqual(['applied', 'joined', 'applied']);
  });
});
