import { afterEach, beforeEach, expect, test } from 'vitest';
import { ACTION } from '../../src/domain/lifecycle/button.ts';
import type { GateRule } from '../../src/domain/lifecycle/gate.ts';
import { CHANNEL, postRoot, pressAndSay, type Stage, stage } from './stage.ts';

let at: Stage;
let root: string;
beforeEach(async () => {
  at = await stage();
  root = await postRoot(at);
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});
const press = (button: string, who: string) => at.slack.drive.as(who, { staleSession: true }).click(CHANNEL, root, button);
function told(who: string): readonly string[] {
  return at.slack.drive
    .as(who)
    .ephemerals()
    .map(({ text }) => text);
}
const asked = (): number => at.slack.log.entries().filter(({ method }) => method === 'users.info').length;
async function flood(
  who: string,
  count: number,
  buttons: readonly string[] = [ACTION.approve, ACTION.extend, ACTION.status],
): Promise<void> {
  for (let one = 0; one < count; one += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, index) => press(buttons[index % buttons.length] ?? ACTION.approve, who)));
    await at.idle();
  }
}
const rule: GateRule = { above: 0, approvers: { usergroups: ['S0REVIEWERS'], emails: [] }, quorum: 1, expiryMs: 1 };

test('a guest who clicks without end takes nothing from others: decisions count, gates find their approvers', async () => {
  await flood('U0GUEST', 150);
  expect(asked()).toBeLessThanOrEqual(2);
  await pressAndSay(at, root, ACTION.abort, 'U0REVIEWER');
  await press(ACTION.approve, 'U0REVIEWER');
  await at.idle();
  expect(at.played.aborts).toHaveLength(1);
  expect(at.played.decisions).toMatchObject([{ choice: 'approve', actor: { id: 'reviewer@example.com' } }]);
  expect(await at.people.approvers(rule, new AbortController().signal)).toHaveLength(2);
});

test('a member who clicks without end is refused before anybody is asked, and hears it once; their own abort still works', async () => {
  await flood('U0OPERATOR', 150);
  expect(asked()).toBeLessThanOrEqual(30);
  expect(told('U0OPERATOR').filter((text) => text.includes('more requests than meshops takes'))).toHaveLength(1);
  await pressAndSay(at, root, ACTION.abort, 'U0OPERATOR');
  await press(ACTION.approve, 'U0REVIEWER');
  await at.idle();
  expect(at.played.aborts).toMatchObject([{ by: { actor: { id: 'operator@example.com' } } }]);
  expect(at.played.decisions.filter(({ actor }) => actor.id === 'reviewer@example.com')).toHaveLength(1);
  at.ahead = 61_000;
  await press(ACTION.extend, 'U0OPERATOR');
  await at.idle();
  expect(at.played.decisions.at(-1)).toMatchObject({ choice: 'extend', actor: { id: 'operator@example.com' } });
});

test('refusals are counted: one record for a person and code in a minute', async () => {
  await flood('U0GUEST', 100, [ACTION.approve]);
  expect(at.refused.filter((code) => code === 'Guest')).toHaveLength(100);
  expect(await at.audit.verify()).toMatchObject({ records: 1 });
});

test('while Slack asks to wait, who was known minutes ago may abort and roll back, and may not approve', async () => {
  await press(ACTION.extend, 'U0REVIEWER');
  await at.idle();
  at.ahead = 180_000;
  at.slack.faults.rateLimited(30);
  const before = asked();
  await press(ACTION.approve, 'U0REVIEWER');
  await press(ACTION.abort, 'U0REVIEWER');
  await press(ACTION.rollback, 'U0REVIEWER');
  await at.idle();
  expect(at.played.aborts).toHaveLength(1);
  expect(at.played.decisions.map(({ choice }) => choice)).toEqual(['extend', 'rollback']);
  expect(at.refused).toEqual(['SlackSilent']);
  // Slack said when it may be asked again.
  expect(asked() - before).toBe(1);
});

test('what was known longer ago does not count, and a person who has left meanwhile aborts nothing', async () => {
  await press(ACTION.extend, 'U0REVIEWER');
  await at.idle();
  at.ahead = 301_000;
  at.slack.faults.rateLimited(5, ['users.info']);
  await pressAndSay(at, root, ACTION.abort, 'U0REVIEWER');
  at.slack.faults.rateLimited(false);
  at.ahead = 400_000;
  at.slack.drive.setUser('U0REVIEWER', { deleted: true });
  await pressAndSay(at, root, ACTION.abort, 'U0REVIEWER');
  expect(at.played.aborts).toEqual([]);
  expect(at.refused).toEqual(['SlackSilent', 'Deactivated']);
});

test('a modal that Slack does not open is said, and how to end the operation without it', async () => {
  at.slack.faults.rateLimited(1, ['views.open']);
  await press(ACTION.reject, 'U0REVIEWER');
  await at.slack.drive.waitFor(() => told('U0REVIEWER').length > 0);
  expect(told('U0REVIEWER').at(-1)).toContain('Slack did not open the window for your reason. Your click changed nothing.');
  expect(at.refused).toEqual(['NoModal']);
});
