import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';
import { type LostOperation, recoveryRequest } from '../../src/domain/lifecycle/lost.ts';
import type { AuditRecord, OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import { decisionOn, FakeMesh, fakes, healthy, operator, request, reviewer, reviewer2, settings, watched } from '../support/operations.ts';
import { type FakeActivity, type Reply, Simulator } from '../support/simulator.ts';

/** A run that the server ended: what the record holds of it suffices for another run to roll it back. */

async function played(until: 'waiting' | 'watching') {
  const mesh = new FakeMesh();
  const db = await openDatabase(':memory:');
  const audit = createAudit(db);
  const kept: AuditRecord[] = [];
  const record: FakeActivity = (input) => {
    kept.push(...(input as { records: AuditRecord[] }).records);
    return { value: undefined };
  };
  const all = { ...fakes(mesh, [5, 10], (input) => watched(mesh, input, healthy)), record };
  const asked = request();
  const simulator = await Simulator.start('canary', asked, all);
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  if (until === 'watching') {
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(70_000);
  }
  const view = (await simulator.query('describe')) as OperationView;
  await audit.append(kept);
  // The server has ended the run here: nothing of it happens any more.
  const lost = (await audit.lost(view.opId)) as LostOperation;
  return { mesh, audit, view, lost, all, kept };
}

async function recoveredBy(one: Awaited<ReturnType<typeof played>>, change: Partial<Parameters<typeof recoveryRequest>[1]> = {}) {
  const now = Date.UTC(2026, 0, 1);
  const asked = recoveryRequest(one.lost, { how: 'terminated', inPlace: true, settings: settings(), now, ...change });
  const simulator = await Simulator.start('canary', asked, one.all, 2);
  const begun = await simulator.update('begin', asked);
  return { simulator, begun };
}

describe('an operation whose run is gone', () => {
  it('is rolled back from the record under its own id, by whoever aborts it', async () => {
    const one = await played('watching');
    expect(one.mesh).toMatchObject({ percent: 10, token: `${one.view.opId}/2` });
    const { simulator, begun } = await recoveredBy(one, { by: reviewer, reason: 'nobody watches it', seen: one.view });
    expect(begun).toMatchObject({ opId: one.view.opId });
    await simulator.run();
    expect(simulator.result as Outcome).toMatchObject({ kind: 'aborted', by: { id: reviewer.id }, restoredExactly: true });
    expect(one.mesh).toMatchObject({ percent: 0, token: null });
    const shown = simulator.calls.filter(({ activity }) => activity === 'announce').at(-1)?.input as unknown as { view: OperationView };
    expect(shown.view).toMatchObject({ opId: one.view.opId, message: one.view.message, phase: 'over', text: 'canary backend 10%' });
    await one.audit.append(one.kept);
    expect(await one.audit.isOver(one.view.opId)).toBe(true);
  });

  it('has records of its own: none bears the key of one that the first run has left', async () => {
    const one = await played('watching');
    const before = one.kept.length;
    const { simulator } = await recoveredBy(one, { by: reviewer });
    await simulator.run();
    expect(one.kept.length).toBeGreaterThan(before);
    expect(new Set(one.kept.map(({ key }) => key)).size).toBe(one.kept.length);
  });

  it('is rolled back also where the clock of whoever asks is minutes behind', async () => {
    const one = await played('watching');
    const { simulator } = await recoveredBy(one, { by: reviewer, now: Date.UTC(2025, 11, 31, 23, 55) });
    await simulator.run();
    expect(simulator.result as Outcome).toMatchObject({ kind: 'aborted' });
    expect(one.mesh).toMatchObject({ percent: 0, token: null });
  });

  it('says that nothing was changed where nothing was', async () => {
    const one = await played('waiting');
    const { simulator } = await recoveredBy(one, { inPlace: false });
    await simulator.run();
    expect(simulator.result as Outcome).toMatchObject({
      kind: 'failed',
      code: 'RunLost',
      words: expect.stringContaining('Nothing was changed'),
    });
    expect(simulator.calls.some(({ activity }) => activity === 'canary.restore')).toBe(false);
  });

  it('takes nothing back that was a way back itself', async () => {
    const one = await played('watching');
    one.mesh.percent = 5;
    const lost = { ...one.lost, change: { kind: 'shift', percent: 0 } as const };
    const { simulator } = await recoveredBy({ ...one, lost }, { by: reviewer });
    await simulator.run();
    expect(simulator.result as Outcome).toMatchObject({ kind: 'aborted', restoredExactly: false });
    expect(one.mesh.percent).toBe(5);
  });

  it('touches nothing that another operation holds by now', async () => {
    const one = await played('watching');
    one.mesh.token = 'canary-other1/1';
    one.mesh.percent = 25;
    const { simulator } = await recoveredBy(one, { by: reviewer });
    await simulator.run();
    expect(simulator.result as Outcome).toMatchObject({ kind: 'superseded' });
    expect(one.mesh).toMatchObject({ percent: 25, token: 'canary-other1/1' });
  });

  describe('that is to stay', () => {
    const rule = { above: 0, approvers: { usergroups: ['S0REVIEWERS'], emails: [] }, quorum: 1, expiryMs: 600_000 };
    const keep = async (quorum: number, by = reviewer, found: object = { token: 2 }, more: Record<string, FakeActivity> = {}) => {
      const one = await played('watching');
      const token = 'token' in found ? `${one.view.opId}/2` : 'canary-other1/1';
      const inspect: FakeActivity = () => ({ value: { differences: [], found: { route: { token } } } });
      const all = { ...one.all, inspect, ...more };
      const gates = quorum === 0 ? [] : [{ ...rule, quorum }];
      const recovered = await recoveredBy(
        { ...one, all },
        { by, keep: true, seen: one.view, settings: settings({ gates, holdMs: 1_800_000 }) },
      );
      await recovered.simulator.advance(1_000);
      return { ...one, ...recovered, outcome: () => recovered.simulator.result as Outcome };
    };
    const writes = ({ simulator }: { readonly simulator: Simulator }): number =>
      simulator.calls.filter(({ activity }) => /restore|apply/.test(activity)).length;

    it.each([0, 1])('is kept by an approver, on record, where %i agreements are needed, and can be rolled back later', async (quorum) => {
      const one = await keep(quorum);
      await one.simulator.run();
      expect(one.outcome()).toMatchObject({ kind: 'completed', code: 'Kept', by: { id: reviewer.id } });
      expect([one.mesh.percent, writes(one)]).toEqual([10, 0]);
      await one.audit.append(one.kept);
      expect(one.kept).toContainEqual(
        expect.objectContaining({ kind: 'decision', actor: reviewer.id, data: expect.objectContaining({ choice: 'keep' }) }),
      );
      const completed = await one.audit.lastCompleted(request().target, 'canary');
      expect(completed).toMatchObject({
        opId: one.view.opId,
        last: { number: 2 },
        originals: [{ fields: { '/spec/rules/0/backendRefs/1/weight': 0 } }],
      });
    });

    it('needs as many as the rule for its share, and never whoever asked for the change', async () => {
      const one = await keep(2);
      const { gate } = (await one.simulator.query('describe')) as OperationView;
      expect(gate).toMatchObject({ kind: 'approval', quorum: 2, approvals: [{ by: { id: reviewer.id } }] });
      for (const [who, code] of [
        [reviewer, 'AlreadyDecided'],
        [operator, 'SelfApproval'],
      ] as const)
        await expect(one.simulator.update('decide', await decisionOn(one.simulator, who, 'approve'))).rejects.toMatchObject({ name: code });
      await one.simulator.update('decide', await decisionOn(one.simulator, reviewer2, 'approve'));
      await one.simulator.run();
      expect(one.outcome()).toMatchObject({ kind: 'completed', code: 'Kept' });
      expect(one.mesh.percent).toBe(10);
    });

    it('calls again who may agree, at half of the time; what was given first still counts', async () => {
      let due = false;
      const approvers = [reviewer, reviewer2].map(({ id, name }) => ({ id, name }));
      const attend = ((input: { readonly callAt?: number }): Reply => {
        if (!due || input.callAt === undefined) return { never: true };
        due = false;
        return { value: { freeze: null, approvers, isDue: true } };
      }) as FakeActivity;
      const one = await keep(2, reviewer, { token: 2 }, { attend });
      due = true;
      await one.simulator.wake('attend');
      await one.simulator.advance(1_000);
      const { gate } = (await one.simulator.query('describe')) as OperationView;
      expect(gate).toMatchObject({ call: 'reminder', approvals: [{ by: { id: reviewer.id } }] });
      await one.simulator.update('decide', await decisionOn(one.simulator, reviewer2, 'approve'));
      await one.simulator.run();
      expect(one.outcome()).toMatchObject({ kind: 'completed', code: 'Kept' });
    });

    it('is not kept by whom no rule names', async () => {
      const one = await keep(1, operator);
      expect(((await one.simulator.query('describe')) as OperationView).gate).toMatchObject({ approvals: [] });
    });

    it('is rolled back where nobody else agrees, or somebody says no', async () => {
      const silent = await keep(2);
      await silent.simulator.run();
      expect(silent.outcome()).toMatchObject({ kind: 'rolled-back', code: 'HoldExpired', restoredExactly: true });
      const refused = await keep(2);
      await refused.simulator.update('decide', await decisionOn(refused.simulator, reviewer2, 'reject'));
      await refused.simulator.run();
      expect(refused.outcome()).toMatchObject({ kind: 'rolled-back', code: 'HoldRolledBack' });
      const aborted = await keep(2);
      await aborted.simulator.signal('abort', { actor: operator });
      await aborted.simulator.run();
      expect(aborted.outcome()).toMatchObject({ kind: 'aborted', restoredExactly: true });
    });

    it('is not said to stay where another operation holds it by now', async () => {
      const one = await keep(1, reviewer, {});
      await one.simulator.run();
      expect(one.outcome()).toMatchObject({
        kind: 'failed',
        code: 'RunLost',
        words: expect.stringContaining('Nothing of it is in place any more'),
      });
    });
  });

  it('can be given up like any undo that keeps failing', async () => {
    const one = await played('watching');
    const never: FakeActivity = () => ({ never: true });
    const asked = recoveryRequest(one.lost, {
      how: 'terminated',
      by: reviewer,
      inPlace: true,
      settings: settings(),
      now: Date.UTC(2026, 0, 1),
    });
    const simulator = await Simulator.start('canary', asked, { ...one.all, 'canary.restore': never }, 2);
    await simulator.update('begin', asked);
    await simulator.advance(60_000);
    await simulator.update('release', { actor: reviewer });
    await simulator.update('release', { actor: reviewer2 });
    await simulator.run();
    expect(simulator.result as Outcome).toMatchObject({ kind: 'abandoned' });
  });
});
