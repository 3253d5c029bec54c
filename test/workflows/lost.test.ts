import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';
import type { LostOperation } from '../../src/domain/lost.ts';
import { recoveryRequest } from '../../src/domain/lost.ts';
import type { AuditRecord, OperationView, Outcome } from '../../src/domain/operation.ts';
import { decisionOn, FakeMesh, fakes, healthy, request, reviewer, reviewer2, settings, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

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
