import { expect, test } from 'vitest';
import { Lateness } from '../../../src/clients/hubble/lateness.ts';
import { measureOwnDelay } from '../../../src/clients/hubble/own-delay.ts';

function rig(share: () => number) {
  const told: string[] = [];
  const listener = {
    flow: () => undefined,
    gap: (_node: string, at: number, reason: string, _lost?: number, patienceMs?: number) =>
      void told.push(`${at} +${patienceMs} ${reason}`),
    sight: () => void told.push('sight'),
  };
  return { told, lateness: new Lateness(listener, { within: (ms) => ms * share() }) };
}

test('an agent whose records are late is out of sight after two seconds of it', () => {
  const { told, lateness } = rig(() => 0);
  lateness.heard('node-1', 0, 3_000);
  lateness.heard('node-1', 100, 3_100);
  lateness.heard('node-1', 600, 3_600);
  lateness.heard('node-1', 3_600, 3_700);
  expect(told).toEqual([
    '3000 +2000 late: records arrive 3.0 s after the event',
    '3000 +2000 late: records arrive 3.0 s after the event',
    'sight',
  ]);
});

test('a process that is busy itself has time to catch up; from when it is not, the agent is late', () => {
  let share = 0.5;
  const { told, lateness } = rig(() => share);
  lateness.heard('node-1', 0, 3_000);
  share = 0.1;
  lateness.heard('node-1', 6_000, 10_000);
  lateness.heard('node-1', 7_000, 11_000);
  expect(told).toEqual([
    '3000 +45000 this process is busy and 3.0 s behind',
    '3000 +9000 late: records arrive 4.0 s after the event',
    '3000 +9000 late: records arrive 4.0 s after the event',
  ]);
});

test('a loop that is held up is measured, while it is and afterwards', () => {
  let now = 0;
  const delay = measureOwnDelay(() => now);
  expect(delay.within(1_000)).toBe(0);
  now = 1_050;
  expect(delay.within(2_000)).toBe(1_000);
  expect(delay.within(300)).toBe(300);
  delay.close();
});
