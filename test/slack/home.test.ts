import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACTION } from '../../src/domain/lifecycle/button.ts';
import type { OperationView } from '../../src/domain/lifecycle/operation.ts';
import { CHANNEL, completedIn, type Stage, stage, viewOf, WORKFLOW } from './stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

const GATE = {
  gateId: 'g1',
  kind: 'approval',
  stage: 1,
  planHash: 'ab'.repeat(32),
  approvers: [{ id: 'reviewer@example.com', name: 'Reviewer' }],
  quorum: 1,
  openedAt: 0,
  expiresAt: Date.UTC(2026, 0, 1, 15),
  approvals: [],
  calls: { usergroups: ['S0REVIEWERS'], emails: [] },
} as const;
const WAITING = { phase: 'waiting', gate: GATE, reason: 'new cache', stages: [], message: { channelId: CHANNEL, ts: '1.000001' } } as const;

function runs(change: Partial<OperationView>): void {
  at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
  at.played.described = { kind: 'view', view: viewOf(change) };
}
const home = (who: string): string => JSON.stringify(at.slack.drive.as(who).home()?.view ?? {});
async function open(who: string): Promise<string> {
  await at.slack.drive.as(who, { staleSession: true }).openHome();
  await at.slack.drive.waitFor(() => at.slack.drive.as(who).home(), { what: 'the Home' });
  return home(who);
}
const published = (): number => at.slack.log.entries().filter(({ method }) => method === 'views.publish').length;

describe('what a Home shows', () => {
  test('waits for whom the rule calls, not for who asked, although the rule calls them as well', async () => {
    at.slack.drive.setUsergroup('S0REVIEWERS', { users: ['U0REVIEWER', 'U0OPERATOR'] });
    runs(WAITING);
    const [reviewer, operator] = [await open('U0REVIEWER'), await open('U0OPERATOR')];
    expect(reviewer).toContain('Waiting for you (1)');
    expect(reviewer).toContain('Operator: \\"new cache\\"');
    expect(reviewer).toContain(ACTION.approve);
    expect(operator).not.toContain('Waiting for you');
    expect(operator).toContain('Yours (1)');
    expect(operator).not.toContain(ACTION.approve);
  });

  test('says that Slack does not tell which questions are whose, and never that nothing waits', async () => {
    runs(WAITING);
    at.slack.faults.rateLimited(60, ['usergroups.users.list']);
    const words = await open('U0REVIEWER');
    expect(words).toContain('Slack does not say which questions are yours.');
    expect(words).not.toContain('Nothing waits for you');
  });

  test('does not wait for who was taken out of the group', async () => {
    at.slack.drive.setUsergroup('S0REVIEWERS', { users: ['U0REVIEWER2'] });
    runs(WAITING);
    expect(await open('U0REVIEWER')).not.toContain('Waiting for you');
  });

  test('runs and has ended is shown to who may read it in the cluster', async () => {
    await completedIn(at, 'canary-k3f2', [0, 10]);
    runs({});
    expect(await open('U0REVIEWER')).toContain('Running (1)');
    expect(home('U0REVIEWER')).toContain('Last operations');
    at.played.unreadable.push('meshops:reviewer2@example.com backend');
    expect(await open('U0REVIEWER2')).not.toContain('Running');
    expect(home('U0REVIEWER2')).not.toContain('Last operations');
  });

  test('is nothing for a guest', async () => {
    runs({});
    expect(await open('U0GUEST')).toContain('Guests cannot use meshops');
    expect(home('U0GUEST')).not.toContain('canary-k3f2');
  });
});

describe('a Home that somebody looks at', () => {
  test('shows within 5 s what has changed, and is not sent again where nothing has', async () => {
    runs(WAITING);
    await open('U0REVIEWER');
    await at.slack.drive.waitFor(() => at.played.listed > 2, { timeoutMs: 9_000, what: 'a second round' }).catch(() => undefined);
    expect(published()).toBe(1);
    const before = Date.now();
    runs({ phase: 'watching' });
    await at.slack.drive.waitFor(() => home('U0REVIEWER').includes('watching 10%'), { timeoutMs: 9_000, what: 'the change' });
    expect(Date.now() - before).toBeLessThan(5_000);
    expect(published()).toBe(2);
  }, 30_000);

  test('costs nothing when nobody has looked for ten minutes', async () => {
    runs(WAITING);
    await open('U0REVIEWER');
    at.ahead = 601_000;
    runs({ phase: 'watching' });
    const { listed } = at.played;
    // Two rounds.
    await new Promise((resolve) => setTimeout(resolve, 7_500));
    expect(at.played.listed).toBe(listed);
    expect(published()).toBe(1);
  }, 30_000);
});

describe('a button in a Home', () => {
  test('approves under the rules of the operation’s channel', async () => {
    runs(WAITING);
    await open('U0REVIEWER');
    const person = at.slack.drive.as('U0REVIEWER');
    await person.clickInView(person.home()?.id ?? '', ACTION.approve);
    await at.idle();
    expect(at.played.decisions).toMatchObject([{ choice: 'approve', gateId: 'g1', actor: { id: 'reviewer@example.com' } }]);
  });

  test('aborts after the form has asked why', async () => {
    runs({ message: WAITING.message });
    await open('U0OPERATOR');
    const person = at.slack.drive.as('U0OPERATOR');
    await person.clickInView(person.home()?.id ?? '', ACTION.abort);
    const form = await at.slack.drive.waitFor(() => person.views()[0], { what: 'the form' });
    await person.submitModal(form.id, { reason: 'wrong service' });
    await at.idle();
    expect(at.played.aborts).toMatchObject([{ by: { reason: 'wrong service' } }]);
  });

  test('opens a form that asks for the channel, and says what came of it in a message of their own', async () => {
    await open('U0OPERATOR');
    const person = at.slack.drive.as('U0OPERATOR');
    await person.clickInView(person.home()?.id ?? '', 'meshops-open:canary');
    const form = await at.slack.drive.waitFor(() => person.views()[0], { what: 'the form' });
    const service = { text: { type: 'plain_text', text: 'backend' }, value: 'demo/backend/backend' };
    expect((await person.submitModal(form.id, { service, percent: '10' })).ok).toBe(true);
    await at.idle();
    expect(at.played.begins).toMatchObject([{ channel: { channelId: CHANNEL }, text: '/mesh canary backend 10%' }]);
    expect(at.slack.drive.messages('D0OPERATOR').at(-1)?.text).toContain('has started');
  });
});
