import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { hearUnhandled, MOST_REJECTIONS } from '../../src/compose/unhandled.ts';
import { SILENT } from '../../src/log.ts';

function hear() {
  const source = new EventEmitter();
  const counted: string[] = [];
  const clock = { now: 0 };
  const unhandled = hearUnhandled({
    log: SILENT,
    count: (kind) => counted.push(kind),
    now: () => clock.now,
    source: source as NodeJS.Process,
  });
  const state = async (): Promise<string> =>
    Promise.race([
      unhandled.fatal.catch((error: Error) => error.message),
      new Promise<string>((resolve) => setImmediate(resolve, 'goes on')),
    ]);
  return { source, counted, clock, unhandled, state };
}

test('a rejection that nobody caught is counted, and the process goes on', async () => {
  const at = hear();
  for (let one = 0; one < MOST_REJECTIONS * 5; one += 1) {
    at.source.emit('unhandledRejection', new Error('broken'));
    at.clock.now += 10_000;
  }
  expect(at.counted).toHaveLength(MOST_REJECTIONS * 5);
  expect(await at.state()).toBe('goes on');
});

test('a process in which promises break without end is ended in order, and says why', async () => {
  const at = hear();
  for (let one = 0; one <= MOST_REJECTIONS; one += 1) at.source.emit('unhandledRejection', new Error('broken'));
  expect(await at.state()).toContain('in a minute were caught by nobody');
});

test('an exception ends it in order; afterwards nobody listens', async () => {
  const at = hear();
  at.source.emit('uncaughtException', new Error('out of line'));
  expect(await at.state()).toContain('out of line');
  at.unhandled.stop();
  expect(at.source.eventNames()).toEqual([]);
});
