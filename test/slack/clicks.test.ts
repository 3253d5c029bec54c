import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACTION } from '../../src/domain/lifecycle/button.ts';
import { CHANNEL, completedIn, postRoot, pressAndSay, type Stage, stage, viewOf, WORKFLOW } from './stage.ts';

let at: Stage;
let root: string;
beforeEach(async () => {
  at = await stage();
  root = await postRoot(at);
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});
type Choice = string | ((element: Readonly<Record<string, unknown>>) => boolean);
async function press(button: Choice, who = 'U0REVIEWER') {
  const outcome = await at.slack.drive.as(who, { staleSession: true }).click(CHANNEL, root, button);
  await at.idle();
  return outcome;
}
const told = (who = 'U0REVIEWER'): string => at.slack.drive.as(who).ephemerals().at(-1)?.text ?? '';

describe('a decision', () => {
  test('is bound to operation, run, gate and plan, and says nothing more when it counts', async () => {
    const outcome = await press(ACTION.approve);
    expect(outcome.ok).toBe(true);
    expect(at.played.decisions).toMatchObject([
      {
        opId: 'canary-k3f2',
        runId: 'run-1',
        gateId: 'g1',
        planHash: 'abababababababab',
        choice: 'approve',
        actor: { id: 'reviewer@example.com' },
      },
    ]);
    expect(told()).toBe('');
  });

  test.each(['extend', 'continue', 'rollback'] as const)('%s answers a hold', async (choice) => {
    await press(ACTION[choice]);
    expect(at.played.decisions).toMatchObject([{ choice }]);
  });

  test('that is refused tells the clicker why, records it and mends the message', async () => {
    const view = viewOf({ phase: 'waiting' });
    at.played.decide = async () => ({ kind: 'refused', code: 'SelfApproval', words: 'SelfApproval', view });
    await press(ACTION.approve, 'U0OPERATOR');
    expect(told('U0OPERATOR')).toContain('Nobody approves their own request');
    expect(at.refused).toEqual(['SelfApproval']);
    expect(at.refreshed).toEqual([view]);
    expect(await at.audit.verify()).toMatchObject({ records: 1 });
  });

  test('on an operation that is over says how it ended and mends the message', async () => {
    const outcome = { kind: 'completed', code: 'Completed', words: 'All stages are in force.' } as const;
    at.played.decide = async () => ({ kind: 'over' });
    at.played.described = { kind: 'view', view: viewOf({ phase: 'over', outcome }) };
    await press(ACTION.approve);
    expect(told()).toContain('This operation is over. All stages are in force.');
    expect(at.refreshed).toHaveLength(1);
  });

  test('that nobody confirmed may be pressed again', async () => {
    at.played.decide = async () => ({ kind: 'not-confirmed' });
    await press(ACTION.approve);
    expect(told()).toContain('safe to press the button again');
  });

  test('replayed is not sent again', async () => {
    await press(ACTION.approve);
    await at.slack.drive.replay(at.slack.drive.lastRequest(), 2);
    await at.idle();
    expect(at.played.decisions).toHaveLength(1);
  });
});

describe('who may answer is looked up at the click', () => {
  const gate = {
    gateId: 'g1',
    kind: 'approval',
    stage: 1,
    planHash: 'ab'.repeat(32),
    approvers: [{ id: 'reviewer@example.com', name: 'Reviewer' }],
    quorum: 1,
    openedAt: 0,
    expiresAt: 1,
    approvals: [],
    calls: { usergroups: ['S0REVIEWERS'], emails: [] },
  } as const;
  beforeEach(() => {
    at.played.described = { kind: 'view', view: viewOf({ phase: 'waiting', gate }) };
  });

  test('somebody taken out of the group meanwhile is not among them; somebody put in is', async () => {
    at.slack.drive.setUsergroup('S0REVIEWERS', { users: ['U0REVIEWER2', 'U0OPERATOR'] });
    await press(ACTION.approve, 'U0REVIEWER');
    await press(ACTION.approve, 'U0OPERATOR');
    expect(at.played.decisions.map(({ actor, isNamed }) => [actor.id, isNamed])).toEqual([
      ['reviewer@example.com', false],
      ['operator@example.com', true],
    ]);
  });

  test('what Slack said some seconds ago counts no more', async () => {
    await press(ACTION.approve, 'U0REVIEWER');
    at.slack.drive.setUsergroup('S0REVIEWERS', { users: ['U0REVIEWER2'] });
    at.ahead = 11_000;
    await press(ACTION.approve, 'U0REVIEWER');
    expect(at.played.decisions.map(({ isNamed }) => isNamed)).toEqual([true, false]);
  });

  test('where Slack does not say nothing goes forward; a rejection counts', async () => {
    at.slack.faults.rateLimited(60, ['usergroups.users.list']);
    await press(ACTION.approve);
    expect(at.played.decisions).toEqual([]);
    expect(at.refused).toEqual(['SlackSilent']);
    await press(ACTION.extend);
    expect(at.played.decisions).toMatchObject([{ choice: 'extend' }]);
  });
});

describe('who clicks is asked of Slack at the click', () => {
  test('somebody deactivated a moment ago is refused, although known before', async () => {
    await press(ACTION.status);
    at.slack.drive.setUser('U0REVIEWER', { deleted: true });
    await press(ACTION.approve);
    expect(told()).toContain('deactivated');
    expect(at.played.decisions).toHaveLength(0);
  });

  test('guests and strangers decide nothing', async () => {
    for (const who of ['U0GUEST', 'U0OUTSIDE']) await press(ACTION.approve, who);
    expect(at.played.decisions).toHaveLength(0);
    expect(at.refused).toEqual(['Guest', 'Stranger']);
  });
});

test('a rejection asks for a reason and carries it', async () => {
  const reviewer = at.slack.drive.as('U0REVIEWER');
  await press(ACTION.reject);
  expect(at.played.decisions).toHaveLength(0);
  const modal = await at.slack.drive.waitFor(() => reviewer.views()[0]);
  expect((await reviewer.submitModal(modal.id)).ok).toBe(false);
  expect((await reviewer.submitModal(modal.id, { reason: 'not on Friday' })).ok).toBe(true);
  await at.idle();
  expect(at.played.decisions).toMatchObject([{ choice: 'reject', reason: 'not on Friday', gateId: 'g1' }]);
});

test('abort stops the operation of the button', async () => {
  await pressAndSay(at, root, ACTION.abort, 'U0REVIEWER');
  expect(at.played.aborts).toMatchObject([{ at: { workflowId: WORKFLOW, runId: 'run-1' }, by: { actor: { id: 'reviewer@example.com' } } }]);
  expect(told()).toContain('is being stopped');
});

describe('the buttons of an operation that has completed', () => {
  test('ask for a new operation under the name of who clicked, and say which one they mean', async () => {
    await completedIn(at, 'canary-k3f2', [0, 10]);
    await press(ACTION.nextPromote);
    await press(ACTION.nextRollback);
    expect(at.played.begins).toMatchObject([
      {
        change: { kind: 'shift', percent: 100, of: 'canary-k3f2' },
        requester: { id: 'reviewer@example.com' },
        text: '/mesh promote demo/backend/backend',
      },
      { change: { kind: 'back', of: 'canary-k3f2' }, text: '/mesh rollback demo/backend/backend' },
    ]);
    expect(told()).toContain('has started');
  });

  test.each([ACTION.nextRollback, ACTION.nextPromote])(
    '%s is refused when another one has completed since, and the message loses it',
    async (action) => {
      await completedIn(at, 'canary-k3f2', [0, 10], { endedAt: 1_000 });
      await completedIn(at, 'canary-bbbb', [10, 25], { endedAt: 2_000 });
      await press(action);
      expect(at.played.begins).toEqual([]);
      expect(told()).toMatch(/belongs to canary-k3f2, but canary-bbbb has completed/);
      expect(at.refused).toEqual(['NotTheLast']);
      expect(at.retired).toEqual([{ channelId: CHANNEL, ts: root }]);
    },
  );

  test('pressed again after the way back it says since when, and by whom', async () => {
    await completedIn(at, 'canary-k3f2', [0, 10], { endedAt: 1_000 });
    await completedIn(at, 'canary-back', [10, 0], {
      endedAt: Date.UTC(2026, 0, 1, 22, 4),
      change: { kind: 'back' },
      actor: 'reviewer@example.com',
    });
    await press(ACTION.nextRollback);
    expect(at.played.begins).toEqual([]);
    expect(told()).toMatch(/rolled back already, by canary-back, asked by reviewer@example.com, 2026-01-01 22:04 UTC/);
  });

  test('hold no more while another operation runs there', async () => {
    await completedIn(at, 'canary-k3f2', [0, 10]);
    at.played.running = { workflowId: WORKFLOW, runId: 'run-2', verb: 'canary' };
    await press(ACTION.nextRollback);
    expect(at.played.begins).toEqual([]);
    expect(told()).toContain('Another operation runs');
  });

  test('0% is offered until something completes after it', async () => {
    await at.audit.append([
      {
        key: 'k',
        at: 2_000,
        kind: 'outcome',
        opId: 'canary-k3f2',
        target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
        data: { kind: 'rolled-back' },
      },
    ]);
    await completedIn(at, 'canary-aaaa', [0, 5], { endedAt: 1_000 });
    await press(ACTION.nextZero);
    expect(at.played.begins).toMatchObject([{ change: { kind: 'shift', percent: 0 } }]);
    await completedIn(at, 'canary-bbbb', [5, 50], { endedAt: 3_000 });
    await press(ACTION.nextZero);
    expect(at.played.begins).toHaveLength(1);
    expect(told()).toContain('canary-bbbb has completed');
  });
});

describe('a Service that the command could have meant', () => {
  const unclear = (text: string, candidates: readonly string[] = ['next']) => {
    const outcome = { kind: 'impossible', code: 'Ambiguous', words: 'Which one?', candidates } as const;
    at.played.described = { kind: 'view', view: viewOf({ phase: 'over', text, outcome }) };
  };

  test('is taken by giving the whole command again, with its name and namespace', async () => {
    unclear('/mesh canary backend 10% --soak 3m --reason "new backend"');
    await press(ACTION.candidate1, 'U0OPERATOR');
    expect(at.played.begins).toMatchObject([
      {
        target: { cluster: 'demo', namespace: 'backend', name: 'next' },
        change: { kind: 'shift', percent: 10, explicit: true },
        text: '/mesh canary backend/next 10% --soak 3m --reason "new backend"',
        reason: 'new backend',
        settings: { soakMs: 180_000 },
        requester: { id: 'operator@example.com' },
      },
    ]);
    unclear('/mesh ab backend x-canary=v2');
    await press(ACTION.candidate1, 'U0OPERATOR');
    expect(at.played.begins[1]).toMatchObject({ change: { kind: 'ab', header: { name: 'x-canary', value: 'v2' }, explicit: true } });
  });

  test('is refused where the operation did not offer it', async () => {
    unclear('/mesh canary backend 10%', ['other']);
    await press(ACTION.candidate1, 'U0OPERATOR');
    at.played.described = { kind: 'gone' };
    await press(ACTION.candidate1, 'U0OPERATOR');
    unclear('/mesh canary backend 10%');
    await press(ACTION.candidate2, 'U0OPERATOR');
    expect(at.played.begins).toEqual([]);
    expect(told('U0OPERATOR')).toContain('does not belong to an operation of meshops');
  });
});

test('a value that is none of ours is refused', async () => {
  await press((element) => element['value'] === '{}');
  expect(told()).toContain('does not belong to an operation of meshops');
  expect(at.played.decisions).toHaveLength(0);
  expect(at.played.aborts).toHaveLength(0);
});
