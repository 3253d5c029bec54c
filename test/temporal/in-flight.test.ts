import { expect, test } from 'vitest';
import { createInFlight } from '../../src/temporal/in-flight.ts';

test('a shutdown waits for what is under way, also for what that starts', async () => {
  const inFlight = createInFlight();
  const done: string[] = [];
  const first = Promise.withResolvers<void>();
  void inFlight.track(async () => {
    await first.promise;
    done.push('first');
    void inFlight.track(async () => void done.push('second'));
  });
  const drained = inFlight.drain(5_000);
  first.resolve();
  expect(await drained).toBe(0);
  expect(done).toEqual(['first', 'second']);
});

test('it waits no longer than told, and says what was left', async () => {
  const inFlight = createInFlight();
  void inFlight.track(() => new Promise(() => undefined));
  expect(await inFlight.drain(20)).toBe(1);
});

test('the number of pieces is bounded, and a piece that fails makes room', async () => {
  const inFlight = createInFlight(1);
  const failing = inFlight.track(() => Promise.reject(new Error('x')));
  expect(inFlight.track(async () => undefined)).toBeUndefined();
  await expect(failing).rejects.toThrow('x');
  await inFlight.drain(100);
  expect(inFlight.size).toBe(0);
});
