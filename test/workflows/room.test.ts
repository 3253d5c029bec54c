import { beforeAll, expect, it } from 'vitest';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import { sentence } from '../../src/domain/words/sentences.ts';
import { workflowBundle } from '../support/bundle.ts';
import { blind, decisionOn, FakeMesh, fakes, healthy, operator, request, reviewer, type Watching, watched } from '../support/operations.ts';
import { Simulator } from '../support/simulator.ts';

// On a busy machine the bundle alone takes longer than a test may.
beforeAll(async () => void (await workflowBundle()), 180_000);

/** Temporal ends a run whose history has more events. */
const TEMPORALS_LIMIT = 51_200;

async function approved(mesh: FakeMesh, watching: Watching): Promise<Simulator> {
  const asked = request();
  const simulator = await Simulator.start('canary', asked, fakes(mesh, [10], watching));
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  return simulator;
}

it('people who extend for ever are told before Temporal ends the run, and it still ends as they decide', async () => {
  const mesh = new FakeMesh();
  const simulator = await approved(mesh, (input) => watched(mesh, input, blind));
  let refused: Error | undefined;
  for (let turn = 0; turn < 2_000 && !refused && simulator.state === 'running'; turn += 1) {
    await simulator.advance(2_000);
    const decision = await decisionOn(simulator, operator, 'extend');
    await simulator.update('decide', decision).catch((error: unknown) => (refused = error as Error));
  }
  expect(refused?.name).toBe('NoRoom');
  expect(sentence('NoRoom')).toMatch(/Nothing was changed\..*roll it back\. Then run the command again/);
  expect(simulator.history.events).toBeLessThan(TEMPORALS_LIMIT / 2);
  await simulator.update('decide', await decisionOn(simulator, operator, 'rollback'));
  await simulator.run();
  expect(simulator.result as Outcome).toMatchObject({ kind: 'rolled-back', restoredExactly: true });
  expect(simulator.history.events).toBeLessThan(TEMPORALS_LIMIT / 2);
}, 300_000);

it.each([
  ['events', 20_000, 0],
  ['bytes', 0, 20_000_000],
])('a further step is refused once the history has too many %s; what is in force stays watched', async (_, events, bytes) => {
  const mesh = new FakeMesh();
  const simulator = await approved(mesh, (input) => (input.purpose === 'after' ? { never: true } : watched(mesh, input, healthy)));
  await simulator.advance(62_000);
  simulator.history.events += events;
  simulator.history.bytes += bytes;
  await simulator.advance(3_000);
  const more = { ...request({ requestId: 'trigger-2', change: { kind: 'shift', percent: 25 } }), validUntil: simulator.now + 60_000 };
  await expect(simulator.update('begin', more)).rejects.toMatchObject({ name: 'NoRoom' });
  expect((await simulator.query('describe')) as OperationView).toMatchObject({ phase: 'afterwatch' });
  expect(mesh.percent).toBe(10);
});
