import { afterEach, expect, test } from 'vitest';
import { createApart, NotDone } from '../../../src/slack/policy/apart.ts';
import { GOOD } from './played.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
function open(options: Parameters<typeof createApart>[0]) {
  const apart = createApart(options);
  opened.push(apart);
  return apart;
}

/** As much as the limits let through, and slow to check. */
const HEAVY = `${GOOD}    - fromCIDR:\n${Array.from({ length: 4_900 }, (_, n) => `        - 10.1.${n % 250}.1\n`).join('')}`;

test('a file is read and checked in another thread, with the result that the function gives', { timeout: 60_000 }, async () => {
  const apart = open({ deadlineMs: 50_000 });
  expect(await apart.run('read', { text: GOOD, source: 'a file', namespace: 'backend' })).toMatchObject({ kind: 'candidate' });
  expect(await apart.run('lint', { text: GOOD })).toEqual({ findings: [], policies: 1 });
});

test('while a slow file is checked, this thread answers', { timeout: 60_000 }, async () => {
  const apart = open({ deadlineMs: 50_000 });
  await apart.run('lint', { text: GOOD });
  let [turns, done] = [0, false];
  const work = apart.run('lint', { text: HEAVY }).then(() => (done = true));
  while (!done) {
    turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await work;
  expect(turns).toBeGreaterThan(100);
});

test('what takes too long is given up, with a sentence; the next file is read all the same', { timeout: 60_000 }, async () => {
  const slow = open({ deadlineMs: 1 });
  await expect(slow.run('lint', { text: HEAVY })).rejects.toThrow(NotDone);
  await expect(slow.run('lint', { text: HEAVY })).rejects.toThrow('It takes longer than');
  const patient = open({ deadlineMs: 50_000 });
  expect(await patient.run('lint', { text: GOOD })).toMatchObject({ policies: 1 });
});

test('a full queue says no at once', { timeout: 60_000 }, async () => {
  const apart = open({ deadlineMs: 50_000, mostWaiting: 2 });
  const asked = Array.from({ length: 5 }, () => apart.run('lint', { text: GOOD }));
  const ended = await Promise.allSettled(asked);
  expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
});
