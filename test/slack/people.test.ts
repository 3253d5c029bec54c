import type { WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWebClient } from '../../src/clients/slack-web.ts';
import type { GateRule } from '../../src/domain/lifecycle/gate.ts';
import { type Account, refuseAccount } from '../../src/slack/account.ts';
import { createPeople } from '../../src/slack/people.ts';
import { type Stage, stage } from './stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

const member: Account = {
  userId: 'U1',
  teamId: 'T0MESHOPS',
  name: 'Operator',
  email: 'operator@example.com',
  deleted: false,
  bot: false,
  guest: false,
  stranger: false,
};
test.each<[string, Partial<Account>, string | undefined]>([
  ['a full member', {}, undefined],
  ['a deactivated account', { deleted: true }, 'Deactivated'],
  ['a bot', { bot: true }, 'Bot'],
  ['a guest', { guest: true }, 'Guest'],
  ['a stranger', { stranger: true }, 'Stranger'],
  ['an account of another workspace', { teamId: 'T0OTHER' }, 'Stranger'],
  ['an account without a visible address', { email: '' }, 'NoEmail'],
  ['an address that nobody has confirmed', { unconfirmed: true }, 'OddEmail'],
  ['the sign for kelvin, which is a k in lower case', { email: '\u212Aate@example.com' }, 'OddEmail'],
])('%s', (_who, change, code) => {
  expect(refuseAccount({ ...member, ...change }, ['T0MESHOPS'])?.code).toBe(code);
});

const rule: GateRule = { above: 0, approvers: { usergroups: ['S0REVIEWERS'], emails: ['Operator@example.com'] }, quorum: 1, expiryMs: 1 };
const signal = new AbortController().signal;

test('approvers are the group and the addresses, each person once, with who left taken out', async () => {
  const ids = async () => (await at.people.approvers(rule, signal)).map((approver) => [approver.id, approver.slackId]);
  expect(await ids()).toEqual([
    ['reviewer@example.com', 'U0REVIEWER'],
    ['reviewer2@example.com', 'U0REVIEWER2'],
    ['operator@example.com', 'U0OPERATOR'],
  ]);
  at.slack.drive.setUser('U0REVIEWER', { deleted: true });
  at.ahead = 61_000;
  expect(await ids()).toEqual([
    ['reviewer2@example.com', 'U0REVIEWER2'],
    ['operator@example.com', 'U0OPERATOR'],
  ]);
});

test.each([{ deleted: true }, { isRestricted: true }])(
  'an address whose owner may do nothing (%o) approves nothing, also what was said before',
  async (change) => {
    const named = { ...rule, approvers: { usergroups: [], emails: ['operator@example.com', 'reviewer@example.com'] } };
    const ids = async () => (await at.people.approvers(named, signal)).map(({ id }) => id);
    expect(await ids()).toEqual(['operator@example.com', 'reviewer@example.com']);
    at.slack.drive.setUser('U0OPERATOR', change);
    expect(await ids()).toEqual(['reviewer@example.com']);
  },
);

test('who was taken out of all gates of the configuration approves nothing that runs', async () => {
  const web = createWebClient({ token: at.slack.botToken, slackApiUrl: at.slack.apiUrl });
  const named = { usergroups: ['S0REVIEWERS'], emails: ['operator@example.com'] };
  let now: typeof named | undefined = named;
  const people = createPeople({ web, teamIds: () => ['T0MESHOPS'], kubernetesOf: () => undefined, now: Date.now, named: () => now });
  const ids = async () => (await people.approvers(rule, signal)).map(({ id }) => id);
  expect(await ids()).toEqual(['reviewer@example.com', 'reviewer2@example.com', 'operator@example.com']);
  now = { ...named, emails: ['somebody@example.com'] };
  expect(await ids()).toEqual(['reviewer@example.com', 'reviewer2@example.com']);
  now = { usergroups: ['S0OTHERS'], emails: ['operator@example.com'] };
  expect(await ids()).toEqual(['operator@example.com']);
  // Without any gate nothing new waits; what waits already goes on as it began.
  now = undefined;
  expect(await ids()).toHaveLength(3);
});

test.each([1, 2])('%i bots together ask Slack no more than the workspace may, and each keeps a part for decisions', async (replicas) => {
  let asked = 0;
  const info = async () => {
    asked += 1;
    return { user: { id: 'U1', team_id: 'T0MESHOPS', profile: { email: 'a@example.com' } } };
  };
  const web = { users: { info } } as unknown as WebClient;
  const bots = Array.from({ length: replicas }, () =>
    createPeople({ web, replicas, teamIds: () => ['T0MESHOPS'], kubernetesOf: () => undefined, now: () => 0 }),
  );
  for (const fresh of [false, true])
    for (let one = 0; one < 100; one += 1) await Promise.all(bots.map((bot) => bot.identify(`U${fresh}${one}`, { fresh })));
  // Tier 4 is 100 a minute; 40 of it are for workers.
  expect(asked).toBeLessThanOrEqual(60);
  expect(asked).toBeGreaterThan(55);
});

test('answers are kept for a minute, and a fresh question asks again', async () => {
  const calls = () => at.slack.log.entries().filter((entry) => entry.method === 'users.info').length;
  await at.people.identify('U0OPERATOR');
  await at.people.identify('U0OPERATOR');
  expect(calls()).toBe(1);
  await at.people.identify('U0OPERATOR', { fresh: true });
  expect(calls()).toBe(2);
  at.ahead = 61_000;
  await at.people.identify('U0OPERATOR');
  expect(calls()).toBe(3);
});

test('an account whose address is not confirmed is nobody', async () => {
  at.slack.drive.setUser('U0REVIEWER', { isEmailConfirmed: false });
  expect(await at.people.identify('U0REVIEWER')).toMatchObject({ kind: 'refused', code: 'OddEmail' });
  expect((await at.people.approvers(rule, signal)).map(({ id }) => id)).not.toContain('reviewer@example.com');
});

test('a group that cannot be read is an error, never an empty group', async () => {
  at.slack.faults.rateLimited(1, ['usergroups.users.list']);
  await expect(at.people.approvers(rule, signal)).rejects.toThrow();
  const unknown = { ...rule, approvers: { usergroups: ['S0NOBODY'], emails: [] } };
  at.slack.faults.rateLimited(false);
  at.ahead = 1_500;
  await expect(at.people.approvers(unknown, signal)).rejects.toThrow('no_such_subteam');
});

test('a rate limit is told at once instead of being slept through', async () => {
  at.slack.faults.rateLimited(30, ['users.info']);
  const startedAt = Date.now();
  expect(await at.people.identify('U0OPERATOR')).toMatchObject({ kind: 'refused', code: 'SlackSilent' });
  expect(Date.now() - startedAt).toBeLessThan(2_000);
});

describe('who somebody is in the cluster, by usergroups', () => {
  const identities = {
    rules: [{ email: 'operator@example.com', groups: ['mesh-readers'] }],
    usergroups: [{ usergroup: 'S0REVIEWERS', user: 'meshops:{email}', groups: ['mesh-operators'] }],
  };
  const kubernetes = async (who: string, options = {}) => {
    const known = await at.people.identify(who, options);
    return known.kind === 'person' ? (known.actor.kubernetes ?? 'nobody') : known.code;
  };
  beforeEach(async () => {
    await at[Symbol.asyncDispose]();
    at = await stage({ identities });
  });

  test('a member has the groups of the usergroup, beside those of a rule', async () => {
    expect(await kubernetes('U0REVIEWER')).toEqual({ user: 'meshops:reviewer@example.com', groups: ['mesh-operators'] });
    expect(await kubernetes('U0OPERATOR')).toEqual({ user: 'meshops:operator@example.com', groups: ['mesh-readers'] });
    at.slack.drive.setUsergroup('S0REVIEWERS', { users: ['U0OPERATOR'] });
    at.ahead = 61_000;
    expect(await kubernetes('U0OPERATOR')).toEqual({ user: 'meshops:operator@example.com', groups: ['mesh-readers', 'mesh-operators'] });
    expect(await kubernetes('U0REVIEWER')).toBe('nobody');
  });

  test('at a click what was said ten seconds ago counts no more', async () => {
    await kubernetes('U0REVIEWER');
    at.slack.drive.setUsergroup('S0REVIEWERS', { users: ['U0OPERATOR'] });
    at.ahead = 11_000;
    expect(await kubernetes('U0REVIEWER')).not.toBe('nobody');
    expect(await kubernetes('U0REVIEWER', { fresh: true })).toBe('nobody');
  });

  test('where Slack does not say nobody changes anything; who stops a change needs no right', async () => {
    at.slack.faults.rateLimited(60, ['usergroups.users.list']);
    expect(await kubernetes('U0REVIEWER')).toBe('SlackSilent');
    expect(await kubernetes('U0REVIEWER', { safe: true })).toBe('nobody');
  });
});
