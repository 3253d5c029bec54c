import { expect, it } from 'vitest';
import { decisionOn, FakeMesh, fakes, healthy, operator, request, reviewer, watched } from '../support/operations.ts';
import { Simulator } from '../support/simulator.ts';

const DAY_MS = 24 * 3_600_000;

it('an undo that fails for a week is told of again and again, and its history stays small', async () => {
  const mesh = new FakeMesh();
  const usual = fakes(mesh, [5, 10], (input) => watched(mesh, input, healthy));
  const simulator = await Simulator.start('canary', request(), { ...usual, 'canary.restore': () => ({ never: true }) });
  await simulator.update('begin', request());
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.advance(2_000);
  await simulator.signal('abort', { actor: operator, reason: 'enough' });
  await simulator.advance(DAY_MS);
  const reminders = (): number =>
    simulator.calls.filter(({ activity, input }) => activity === 'say' && JSON.stringify(input).includes('undo-failing')).length;
  expect(reminders()).toBeGreaterThan(6);
  await simulator.advance(6 * DAY_MS);
  expect(reminders()).toBeGreaterThan(28);
  expect(simulator.history.events).toBeLessThan(2_000);
});
