import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/domain/judge/verdict.ts';
import type { ApplyInput, WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import {
  attending,
  counts,
  decisionOn,
  FakeMesh,
  fakes,
  harmful,
  healthy,
  operator,
  request,
  reviewer,
  reviewer2,
  settings,
  type Watching,
  watched,
} from '../support/operations.ts';
import { Simulator } from '../support/simulator.ts';

const drift: Verdict = {
  kind: 'drift',
  counts: counts(40, 0),
  object: 'HTTPRoute/backend/backend',
  field: '/spec/rules/0/backendRefs/1/weight',
  manager: 'kubectl-edit',
  words: 'kubectl-edit changed the weight to 30.',
};
const KEY = 'HTTPRoute/backend/backend';

/** Another hand sets the weight to `percent` as soon as the first stage is watched; a drift is seen as long as it differs from the stage's. */
async function drifting(
  percent: number,
  later: Watching = (input) => watched(mesh, input, healthy),
  change: Parameters<typeof request>[0] = {},
  percents: readonly number[] = [10],
) {
  let foreign = false;
  const isDrift = (input: WatchInput): boolean => {
    const after = Number(input.stage.writes[0]?.after['/spec/rules/0/backendRefs/1/weight']);
    if (!foreign) mesh.percent = percent;
    foreign = true;
    return mesh.percent !== after && !input.drifted;
  };
  const activities = fakes(mesh, percents, (input, call) => (isDrift(input) ? watched(mesh, input, drift) : later(input, call)));
  activities['inspect'] = () => ({
    value: {
      differences: [
        { object: KEY, field: '/spec/rules/0/backendRefs/1/weight', expected: '10', found: String(mesh.percent), manager: 'kubectl-edit' },
      ],
      found: {
        [KEY]: {
          object: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' },
          uid: 'uid-1',
          expected: { '/spec/rules/0/backendRefs/0/weight': 90, '/spec/rules/0/backendRefs/1/weight': 10 },
          fields: { '/spec/rules/0/backendRefs/0/weight': 100 - mesh.percent, '/spec/rules/0/backendRefs/1/weight': mesh.percent },
          token: mesh.token,
          generation: mesh.generation,
        },
      },
    },
  });
  const asked = request(change);
  const simulator = await Simulator.start(asked.verb, asked, asked.verb === 'policy' ? asPolicy(activities) : activities);
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.advance(5_000);
  return simulator;
}

/** The same fakes as the steps of a policy, whose claim has made its object. */
function asPolicy(fakesOf: ReturnType<typeof fakes>): ReturnType<typeof fakes> {
  const apply = fakesOf['canary.apply'];
  const plan = fakesOf['canary.plan'];
  const valueOf = (reply: object): object => ('value' in reply ? (reply.value as object) : {});
  return {
    ...Object.fromEntries(Object.entries(fakesOf).map(([name, fake]) => [name.replace('canary.', 'policy.'), fake])),
    'policy.plan': (input, context) => {
      const reply = valueOf(plan?.(input, context) ?? {}) as { plan: object };
      return { value: { ...reply, plan: { ...reply.plan, verb: 'policy' } } };
    },
    'policy.apply': (input, context) => {
      const isClaim = (input as ApplyInput).stage.number === 0;
      return { value: { ...valueOf(apply?.(input, context) ?? {}), ...(isClaim && { made: { [KEY]: 'uid-made' } }) } };
    },
  };
}

let mesh = new FakeMesh();
const view = async (simulator: Simulator): Promise<OperationView> => (await simulator.query('describe')) as OperationView;
/** Without those that guard a write. */
function watchesOf(simulator: Simulator): readonly WatchInput[] {
  return simulator.calls
    .filter((call) => call.activity === 'canary.watch')
    .map((call): WatchInput => call.input)
    .filter(({ applying }) => !applying);
}
const outcomeOf = (simulator: Simulator): Outcome => simulator.result as Outcome;

describe('drift', () => {
  it('holds and shows who changed what; nothing is written meanwhile', async () => {
    mesh = new FakeMesh();
    const simulator = await drifting(30, () => ({ never: true }));
    expect(await view(simulator)).toMatchObject({
      phase: 'holding',
      gate: { kind: 'drift' },
      drift: [{ field: '/spec/rules/0/backendRefs/1/weight', expected: '10', found: '30', manager: 'kubectl-edit' }],
    });
    expect(mesh).toMatchObject({ percent: 30, applied: ['10%'] });
    const notes = simulator.calls
      .filter((call) => call.activity === 'say')
      .map((call) => (call.input as { note: { kind: string } }).note.kind);
    expect(notes).toContain('drift');
  });

  it('restore writes the values of the stage again under a new number, and the operation goes on', async () => {
    mesh = new FakeMesh();
    const simulator = await drifting(30);
    await expect(simulator.update('decide', await decisionOn(simulator, operator, 'restore'))).rejects.toMatchObject({
      name: 'SelfApproval',
    });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'restore'));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
    expect(mesh.percent).toBe(10);
    expect(mesh.token).toMatch(/\/2$/);
  });

  it('numbers of later stages stay above what the restore has taken', async () => {
    mesh = new FakeMesh();
    const simulator = await drifting(30, undefined, {}, [10, 25]);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'restore'));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
    expect(mesh).toMatchObject({ percent: 25, applied: ['10%', '10%', '25%'] });
    const numbers = simulator.calls
      .filter((call) => call.activity === 'canary.apply')
      .map((call) => (call.input as { stage: { number: number } }).stage.number);
    expect(numbers).toEqual([0, 1, 2, 3]);
    expect((await view(simulator)).stages.map(({ number, state }) => `${number} ${state}`)).toEqual(['2 passed', '3 passed']);
  });

  it('adopt takes what was found, asks for a new plan from there, and an undo goes back to what was before the operation', async () => {
    mesh = new FakeMesh();
    const simulator = await drifting(30, () => ({ never: true }));
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'adopt'));
    await simulator.advance(1_000);
    expect(await view(simulator)).toMatchObject({ phase: 'waiting', gate: { kind: 'approval' } });
    expect(mesh).toMatchObject({ percent: 30 });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(1_000);
    expect(mesh.percent).toBe(10);
    await simulator.signal('abort', { actor: operator });
    await simulator.run();
    expect(mesh).toMatchObject({ percent: 0, token: null });
  });

  it('what another hand has raised is adopted by the people whom the rules name for any share', async () => {
    mesh = new FakeMesh();
    const plan = mesh.plan.bind(mesh);
    mesh.plan = (...asked) => {
      const made = plan(...asked);
      return { ...made, originals: made.originals.map((one) => ({ ...one, own: ['/spec/rules/0/backendRefs/1/weight'] })) };
    };
    const named = (above: number, email: string) => ({
      above,
      approvers: { usergroups: [], emails: [email] },
      quorum: 1,
      expiryMs: 600_000,
    });
    const gates = [named(0, reviewer.id), named(0.5, reviewer2.id)];
    const simulator = await drifting(90, () => ({ never: true }), { settings: settings({ gates }) });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'adopt'));
    await simulator.advance(1_000);
    expect(await view(simulator)).toMatchObject({ phase: 'holding', gate: { kind: 'drift', gateId: 'g3' } });
    expect(mesh.applied).toEqual(['10%']);
    await simulator.update('decide', await decisionOn(simulator, reviewer2, 'adopt'));
    await simulator.advance(1_000);
    expect(mesh.applied).toEqual(['10%', '10% (adopted)']);
  });

  it('in a rollout of a policy what was adopted stands as its stage, and the next stage goes on from it without a new plan', async () => {
    mesh = new FakeMesh();
    const simulator = await drifting(30, undefined, { verb: 'policy' }, [10, 25]);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'adopt'));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
    expect(mesh).toMatchObject({ percent: 25, applied: ['10%', '10% (adopted)', '25%'] });
    const calls = (name: string) => simulator.calls.filter((call) => call.activity === name).map((call) => call.input);
    expect(calls('policy.plan')).toHaveLength(2);
    const [, , adopted, last] = calls('policy.apply') as ApplyInput[];
    expect(adopted?.stage.writes[0]?.after).toMatchObject({ '/spec/rules/0/backendRefs/1/weight': 30 });
    expect(last?.stage.writes[0]).toMatchObject({
      before: { '/spec/rules/0/backendRefs/0/weight': 70, '/spec/rules/0/backendRefs/1/weight': 30 },
      after: { '/spec/rules/0/backendRefs/1/weight': 25 },
    });
    const [inspected] = calls('inspect') as { made: unknown }[];
    expect(inspected?.made).toEqual({ [KEY]: 'uid-made' });
  });

  it('a plan that is rejected after adopting is no agreement to what is in force', async () => {
    mesh = new FakeMesh();
    const simulator = await drifting(30);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'adopt'));
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'reject', { reason: 'no' }));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('rejected');
    expect(mesh.percent).toBe(0);
  });

  it.each(['leave', 'expiry'])('%s ends the operation as drifted', async (how) => {
    mesh = new FakeMesh();
    const simulator = await drifting(30, () => ({ never: true }));
    if (how === 'leave') await simulator.update('decide', await decisionOn(simulator, operator, 'leave'));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'drifted', code: how === 'leave' ? 'DriftLeft' : 'HoldExpired' });
    expect(simulator.calls.some((call) => call.activity === 'canary.restore')).toBe(true);
  });

  it('keeps the fuse armed while people are asked: the traffic is judged although the objects do not stand', async () => {
    mesh = new FakeMesh();
    const simulator = await drifting(30, (input) => watched(mesh, input, input.drifted ? harmful : healthy));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'Harmful' });
    expect(mesh.percent).toBe(0);
  });
});

const freeze = {
  scope: 'demo',
  reason: 'release weekend',
  by: { id: 'reviewer@example.com', name: 'Reviewer' },
  setAt: 0,
  until: Date.UTC(2026, 0, 1) + 3_600_000,
};

describe('freezes', () => {
  it('refuses a plan with who, why and until when', async () => {
    mesh = new FakeMesh();
    const activities = { ...fakes(mesh, [10], (input) => watched(mesh, input, healthy)), frozen: () => ({ value: freeze }) };
    const asked = request();
    const simulator = await Simulator.start('canary', asked, activities);
    await simulator.update('begin', asked);
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'impossible', code: 'Frozen', words: expect.stringMatching(/release weekend/) });
    expect(outcomeOf(simulator).words).toContain('2026-01-01 01:00 UTC by Reviewer');
    expect(simulator.calls.some((call) => call.activity === 'canary.plan')).toBe(false);
  });

  it('never stops a way back', async () => {
    mesh = new FakeMesh();
    const activities = { ...fakes(mesh, [0], (input) => watched(mesh, input, healthy)), frozen: () => ({ value: freeze }) };
    const asked = request({ change: { kind: 'back' }, settings: settings({ gates: [] }) });
    const simulator = await Simulator.start('canary', asked, activities);
    await simulator.update('begin', asked);
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
  });

  it('holds before the next stage, watched, and goes on by itself when it is lifted', async () => {
    mesh = new FakeMesh();
    let frozen = false;
    const activities = {
      ...fakes(mesh, [5, 10], (input) => {
        frozen ||= input.purpose === 'stage' && mesh.percent === 5;
        return input.purpose === 'after' && frozen ? { never: true } : watched(mesh, input, healthy);
      }),
      frozen: () => ({ value: frozen ? freeze : null }),
      attend: attending(() => (frozen ? freeze : null)),
    };
    const asked = request();
    const simulator = await Simulator.start('canary', asked, activities);
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(90_000);
    expect(await view(simulator)).toMatchObject({ phase: 'holding', frozen: { scope: 'demo' } });
    expect(mesh.percent).toBe(5);
    frozen = false;
    await simulator.wake('attend');
    await simulator.run(() => mesh.percent === 10);
    expect((await view(simulator)).frozen).toBeUndefined();
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
  });

  it('does not stop the undo of what is frozen', async () => {
    mesh = new FakeMesh();
    const activities = {
      ...fakes(mesh, [5, 10], (input) => (input.purpose === 'after' ? watched(mesh, input, harmful) : watched(mesh, input, healthy))),
      frozen: () => ({ value: mesh.applied.length === 1 ? freeze : null }),
    };
    const asked = request();
    const simulator = await Simulator.start('canary', asked, activities);
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'Harmful', restoredExactly: true });
  });
});

describe('release', () => {
  const reviewer2 = { id: 'reviewer2@example.com', name: 'Second reviewer' };

  async function failing() {
    mesh = new FakeMesh();
    const activities = { ...fakes(mesh, [10], () => ({ never: true })), 'canary.restore': () => ({ never: true as const }) };
    const asked = request();
    const simulator = await Simulator.start('canary', asked, activities);
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(1_000);
    await simulator.signal('abort', { actor: operator });
    await simulator.advance(10_000);
    await expect(simulator.update('release', { actor: reviewer })).rejects.toMatchObject({ name: 'NotReleasable' });
    await simulator.advance(25_000);
    return simulator;
  }

  it('needs two approvers, neither of them the requester, and ends the operation as abandoned', async () => {
    const simulator = await failing();
    await expect(simulator.update('release', { actor: operator })).rejects.toMatchObject({ name: 'SelfApproval' });
    await expect(simulator.update('release', { actor: { ...reviewer, id: 'guest@example.com' } })).rejects.toMatchObject({
      name: 'NotAnApprover',
    });
    await expect(simulator.update('release', { actor: reviewer, reason: 'the cluster is gone' })).resolves.toEqual({ remaining: 1 });
    await expect(simulator.update('release', { actor: reviewer })).rejects.toMatchObject({ name: 'AlreadyDecided' });
    expect(simulator.state).toBe('running');
    await expect(simulator.update('release', { actor: reviewer2 })).resolves.toEqual({ remaining: 0 });
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'abandoned', restoredExactly: false });
    expect(outcomeOf(simulator).words).toContain('Reviewer and Second reviewer released it');
    const recorded = simulator.calls
      .filter((call) => call.activity === 'record')
      .flatMap((call) => (call.input as { records: { data: { choice?: string } }[] }).records);
    expect(recorded.filter((record) => record.data.choice === 'release')).toHaveLength(2);
  });
});

describe('after harm was put back', () => {
  const restoring =
    (verdict: Verdict): Watching =>
    (input) =>
      watched(mesh, input, input.purpose === 'restored' ? verdict : harmful);

  async function harmed(verdict: Verdict, restoredWatchMs: number) {
    mesh = new FakeMesh();
    const asked = request();
    const withWatch = { ...asked, settings: { ...asked.settings, restoredWatchMs } };
    const simulator = await Simulator.start('canary', withWatch, fakes(mesh, [10], restoring(verdict)));
    await simulator.update('begin', withWatch);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    return simulator;
  }

  it('says "restored, still failing" where the harm goes on', async () => {
    const simulator = await harmed(harmful, 60_000);
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', stillFailing: { hasShare: false } });
    expect(outcomeOf(simulator).words).toContain('Rolled back, still failing');
  });

  it('says nothing of it where the service is well again', async () => {
    const simulator = await harmed(healthy, 60_000);
    expect(outcomeOf(simulator)).not.toHaveProperty('stillFailing');
    expect(watchesOf(simulator).map(({ purpose }) => purpose)).toEqual(['stage', 'restored']);
  });

  it('does not watch where the settings say 0', async () => {
    const simulator = await harmed(harmful, 0);
    expect(watchesOf(simulator)).toHaveLength(1);
  });
});
