import { describe, expect, it } from 'vitest';
import type { AttendInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import { decisionOn, FakeMesh, fakes, healthy, request, reviewer, reviewer2, settings, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

const freeze = { scope: 'demo', reason: 'release weekend', by: { id: 'r', name: 'Reviewer' }, setAt: 0, until: Date.UTC(2026, 0, 2) };
function gates(quorum: number) {
  return [0, 0.05].map((above) => ({ above, approvers: { usergroups: ['S0REVIEWERS'], emails: [] }, quorum, expiryMs: 3_600_000 }));
}
const viewOf = async (simulator: Simulator): Promise<OperationView> => (await simulator.query('describe')) as OperationView;

/** 5% is in force; 25% waits at its gate. What `world` says now is what the activities see. */
async function atSecondGate(quorum = 1) {
  const mesh = new FakeMesh();
  const world = { frozen: false, isDue: false, silent: 0, approvers: [reviewer, reviewer2].map(({ id, name }) => ({ id, name })) };
  const activities: Record<string, FakeActivity> = {
    ...fakes(mesh, [5, 25], (input) => watched(mesh, input, healthy)),
    frozen: () => ({ value: world.frozen ? freeze : null }),
    resolveApprovers: () => {
      const { silent } = world;
      if (silent > 0) world.silent -= 1;
      // The quick question has no answer, and the patient one a late one.
      return silent > 1 ? { fails: 'Slack is silent' } : { value: world.approvers, afterMs: silent * 90_000 };
    },
    attend: (input) => {
      const known = input as AttendInput;
      if (world.isDue && known.callAt !== undefined) {
        world.isDue = false;
        return { value: { freeze: null, approvers: world.approvers, isDue: true } };
      }
      const isSame = (known.freeze !== null) === world.frozen && (!known.rule || known.approvers.length === world.approvers.length);
      return isSame ? { never: true } : { value: { freeze: world.frozen ? freeze : null, approvers: world.approvers } };
    },
  };
  const asked = request({ settings: settings({ gates: gates(quorum) }) });
  const simulator = await Simulator.start('canary', asked, activities);
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  for (const person of [reviewer, reviewer2].slice(0, quorum))
    await simulator.update('decide', await decisionOn(simulator, person, 'approve'));
  await simulator.advance(70_000);
  expect(await viewOf(simulator)).toMatchObject({ phase: 'waiting' });
  const changed = async (change: Partial<typeof world>) => {
    Object.assign(world, change);
    await simulator.wake('attend');
    await simulator.advance(1_000);
  };
  return { mesh, simulator, world, changed };
}

describe('while a later gate is open', () => {
  it('a freeze that is set is shown in it, and heeded after the approval; lifted, the approval counts', async () => {
    const { mesh, simulator, changed } = await atSecondGate();
    await changed({ frozen: true });
    expect(await viewOf(simulator)).toMatchObject({ phase: 'waiting', gate: { kind: 'approval' }, frozen: { reason: 'release weekend' } });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(600_000);
    expect(await viewOf(simulator)).toMatchObject({ phase: 'holding', frozen: { scope: 'demo' } });
    expect(mesh.percent).toBe(5);
    await changed({ frozen: false });
    expect(mesh.percent).toBe(25);
    expect((await viewOf(simulator)).frozen).toBeUndefined();
    await simulator.run();
    expect((simulator.result as Outcome).kind).toBe('completed');
  });

  it('people are called again when it is due, and who has answered is shown', async () => {
    const { simulator, changed } = await atSecondGate();
    const asked = (await viewOf(simulator)).gate;
    expect(asked).toMatchObject({ calls: { usergroups: ['S0REVIEWERS'] } });
    expect(asked?.call).toBeUndefined();
    await changed({ isDue: true });
    expect((await viewOf(simulator)).gate).toMatchObject({ gateId: asked?.gateId, call: 'reminder' });
    // Only the one that is due: without an `escalate` nobody else is called.
    await changed({ isDue: true });
    expect((await viewOf(simulator)).gate).toMatchObject({ call: 'reminder' });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(1_000);
    expect((await viewOf(simulator)).answered).toMatchObject({ gateId: asked?.gateId, choice: 'approve', by: ['Reviewer'] });
  });

  it('a freeze that is lifted before the approval is shown no more', async () => {
    const { simulator, changed } = await atSecondGate();
    await changed({ frozen: true });
    await changed({ frozen: false });
    const view = await viewOf(simulator);
    expect(view.phase).toBe('waiting');
    expect(view.frozen).toBeUndefined();
  });

  it('who may decide is who may now: a new member can, one who has left cannot', async () => {
    const { simulator, changed } = await atSecondGate();
    await changed({ approvers: [{ id: reviewer2.id, name: reviewer2.name }] });
    await expect(simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'))).rejects.toMatchObject({
      name: 'NotAnApprover',
    });
    await simulator.update('decide', await decisionOn(simulator, reviewer2, 'approve'));
    await simulator.run();
    expect((simulator.result as Outcome).kind).toBe('completed');
  });

  it('who was named at the click counts, though nobody has looked since; who was not does not', async () => {
    const { mesh, simulator, world } = await atSecondGate();
    const third = { id: 'reviewer3@example.com', name: 'Third reviewer' };
    world.approvers = [third];
    await expect(simulator.update('decide', await decisionOn(simulator, reviewer, 'approve', { isNamed: false }))).rejects.toMatchObject({
      name: 'NotAnApprover',
    });
    await simulator.update('decide', await decisionOn(simulator, third, 'approve', { isNamed: true }));
    await simulator.run();
    expect(mesh.percent).toBe(25);
  });

  it('nothing is written while nobody can say whether the approver still may', async () => {
    const { mesh, simulator, world } = await atSecondGate();
    world.silent = 2;
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(60_000);
    expect(mesh.percent).toBe(5);
    await simulator.advance(60_000);
    expect(mesh.percent).toBe(25);
  });

  it('an approval is asked for again when its giver has left while a freeze was waited for', async () => {
    const { mesh, simulator, world, changed } = await atSecondGate();
    await changed({ frozen: true });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(600_000);
    world.approvers = [{ id: reviewer2.id, name: reviewer2.name }];
    await changed({ frozen: false });
    expect(mesh.percent).toBe(5);
    expect(await viewOf(simulator)).toMatchObject({ phase: 'waiting', gate: { approvers: [{ id: reviewer2.id }], approvals: [] } });
    await simulator.update('decide', await decisionOn(simulator, reviewer2, 'approve'));
    await simulator.run();
    expect(mesh.percent).toBe(25);
  });

  it('an approval does not count when its giver has left before it took effect; the others are kept', async () => {
    const { mesh, simulator, world } = await atSecondGate(2);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    const third = { id: 'reviewer3@example.com', name: 'Third reviewer' };
    // Nobody has looked since: the open gate still knows both.
    world.approvers = [{ id: reviewer2.id, name: reviewer2.name }, third];
    await simulator.update('decide', await decisionOn(simulator, reviewer2, 'approve'));
    await simulator.advance(1_000);
    expect(mesh.percent).toBe(5);
    const { gate } = await viewOf(simulator);
    expect(gate).toMatchObject({ kind: 'approval', quorum: 2, approvals: [{ by: { id: reviewer2.id } }] });
    const notes = simulator.calls.filter(({ activity }) => activity === 'say').map((call) => (call.input as { note: object }).note);
    expect(notes).toContainEqual({ kind: 'no-longer', people: ['Reviewer'] });
    await simulator.update('decide', await decisionOn(simulator, third, 'approve'));
    await simulator.run();
    expect((simulator.result as Outcome).kind).toBe('completed');
    expect(mesh.percent).toBe(25);
  });
});
