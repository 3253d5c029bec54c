import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAnnounce } from '../../../activities/announce/index.ts';
import { type SlackPlayground, startSlack } from '../../../playground/slack/slack.ts';
import { createSlackMessages, SlackRateLimited } from '../../../src/clients/slack.ts';
import type { Gate } from '../../../src/domain/lifecycle/gate.ts';
import type { OperationView } from '../../../src/domain/lifecycle/operation.ts';
import { BLIND, gate as gateAt, stages, view as viewAt } from '../../messages/views.ts';

const CHANNEL = 'C0MESH';
const app = { signingSecret: 'signing', botToken: 'xoxb-test', slashCommands: [], scopes: ['chat:write', 'channels:history'] };
const GROUP = { calls: { usergroups: ['S0REVIEWERS'], emails: [] }, quorum: 1 };

let slack: SlackPlayground;
let stop: AbortController;

beforeEach(async () => {
  stop = new AbortController();
  slack = await startSlack({ signal: stop.signal, app });
});
afterEach(async () => {
  stop.abort();
  await slack.stop();
});

/** One operation whose view changes as a workflow's does: each announcement returns where its messages are. */
function operation(attempt = 1) {
  const messages = createSlackMessages({ token: 'xoxb-test', apiUrl: slack.apiUrl });
  const { announce, say } = createAnnounce({ slack: messages, now: Date.now, attempt: () => attempt });
  let shown = viewAt('planning', { startedAt: Date.now() });
  return {
    show: async (change: Partial<OperationView>): Promise<void> => {
      const { gate: _, ...rest } = shown;
      shown = { ...rest, ...change };
      shown = { ...shown, message: await announce({ view: shown, channelId: CHANNEL }) };
    },
    say,
    view: () => shown,
  };
}

function waiting(change: Partial<Gate> = {}): Partial<OperationView> {
  return { phase: 'waiting', gate: gateAt({ ...GROUP, ...change }) };
}

const thread = (view: OperationView) => slack.drive.thread(CHANNEL, view.message?.ts ?? '').slice(1);
function calledFor(user: string): readonly string[] {
  return slack.drive
    .notifications(user)
    .filter(({ message }) => message.threadTs !== undefined || message.channel !== CHANNEL)
    .map(({ message }) => message.text);
}
function hasButtons(message: { readonly blocks?: readonly object[] } | undefined): boolean {
  return JSON.stringify(message?.blocks ?? []).includes('meshops:');
}

describe('an announcement that Slack asks to wait with', () => {
  it('does not send again what it has shown: that would use up the edit that its question waits for', async () => {
    const real = createSlackMessages({ token: 'xoxb-test', apiUrl: slack.apiUrl });
    const edited: string[] = [];
    let left = Number.POSITIVE_INFINITY;
    const messages: typeof real = {
      ...real,
      update: async (channelId, ts, message) => {
        if (left <= 0) throw new SlackRateLimited(1_000);
        left -= 1;
        edited.push(ts);
        await real.update(channelId, ts, message);
      },
    };
    let attempt = 1;
    const { announce } = createAnnounce({ slack: messages, now: Date.now, attempt: () => attempt });
    const asked: OperationView = { ...viewAt('waiting', { startedAt: Date.now() }), ...waiting() };
    const message = await announce({ view: asked, channelId: CHANNEL });
    const { gate: _, ...watching } = { ...asked, phase: 'watching' as const, stages: stages('watching'), message };
    // One edit a second is what there is.
    left = 1;
    await expect(announce({ view: watching, channelId: CHANNEL })).rejects.toMatchObject({ type: 'SlackRateLimited' });
    expect(edited).toEqual([message.ts]);
    [attempt, left] = [2, 1];
    await announce({ view: watching, channelId: CHANNEL });
    expect(edited).toEqual([message.ts, message.question?.ts]);
  });
});

describe('a question to people', () => {
  it('is a post that calls who may answer, once, with the buttons; nobody is called by what is edited', async () => {
    const { show, view } = operation();
    await show(waiting());
    expect(thread(view())).toHaveLength(1);
    expect(hasButtons(thread(view())[0])).toBe(true);
    expect(thread(view())[0]?.text).toMatch(
      /^<!subteam\^S0REVIEWERS> approve \*Canary backend\/backend 10%\*\? .* else it is declined\. Operator asks: "release 2\.0"/,
    );
    await show(waiting({ approvers: [] }));
    await show(waiting({ approvals: [{ by: { id: 'r', name: 'Reviewer' }, at: 1 }], quorum: 2 }));
    expect(thread(view())).toHaveLength(1);
    expect(thread(view())[0]?.text).toContain('Approved so far: *Reviewer*');
    expect([calledFor('U0REVIEWER'), calledFor('U0REVIEWER2'), calledFor('U0OPERATOR')].map((calls) => calls.length)).toEqual([1, 1, 0]);
  });

  it('says whom it calls, what changes and until when, whatever a person wrote into command and reason', async () => {
    const { show, view } = operation();
    const hostile = '&'.repeat(300);
    const long = (last: string): string => `${'backend-of-a-long-name 1%, '.repeat(10)}${last}`;
    const [from, to] = [long('backend 100%'), long('backend 90%')];
    await show({ ...waiting(), text: `/mesh canary backend 10% --reason "${hostile}"`, reason: hostile, from, to });
    const [asked] = thread(view());
    for (const part of ['<!subteam^S0REVIEWERS>', `Then: ${to.slice(0, 150)}`, 'else it is declined.']) {
      expect(asked?.text).toContain(part);
      expect(JSON.stringify(asked?.blocks)).toContain(part);
    }
    expect(hasButtons(asked)).toBe(true);
    expect(JSON.stringify(slack.drive.messages(CHANNEL)[0]?.blocks)).toContain(` → ${to.slice(0, 140)}`);
  });

  it('says who has answered it, and loses its buttons; who clicked is not called by the answer', async () => {
    const { show, say, view } = operation();
    await show(waiting());
    const answered = { gateId: 'g1', kind: 'approval', choice: 'approve', by: ['Reviewer'], at: Date.now() } as const;
    await show({ phase: 'applying', answered });
    const { message } = view();
    if (message)
      await say({
        view: view(),
        thread: message,
        note: { kind: 'approved', by: { id: 'r', name: 'R', slackId: 'U0REVIEWER' }, remaining: 0 },
        key: 'k',
      });
    expect(thread(view())).toHaveLength(1);
    expect(thread(view())[0]?.text).toContain('*Canary backend/backend 10%*: approved by Reviewer at');
    expect(hasButtons(thread(view())[0])).toBe(false);
    expect(calledFor('U0REVIEWER')).toHaveLength(1);
  });

  it('is asked again as a reminder, then others are called; only the newest has buttons', async () => {
    const { show, view } = operation();
    const calls = { ...GROUP.calls, escalate: 'S0LEADS' };
    slack.drive.setUsergroup('S0LEADS', { users: ['U0OPERATOR'] });
    await show(waiting({ calls }));
    await show(waiting({ calls, call: 'reminder' }));
    await show(waiting({ calls, call: 'reminder' }));
    await show(waiting({ calls, call: 'escalation' }));
    expect(thread(view()).map(hasButtons)).toEqual([false, false, true]);
    expect(thread(view())[2]?.text).toContain('nobody has answered since');
    expect([calledFor('U0REVIEWER'), calledFor('U0OPERATOR')].map((heard) => heard.length)).toEqual([2, 1]);
    await show({
      phase: 'over',
      answered: { gateId: 'g1', kind: 'approval', choice: 'expired', by: [], at: Date.now() },
      outcome: { kind: 'expired', code: 'GateExpired', words: 'Nobody.' },
    });
    expect(thread(view()).map(hasButtons)).toEqual([false, false, false]);
    expect(thread(view())[2]?.text).toContain('no answer by');
  });

  it('has been posted once when the answer was lost', async () => {
    const first = operation();
    await first.show({ phase: 'planning' });
    slack.faults.dropAfterPost();
    const before = first.view();
    await expect(first.show(waiting())).rejects.toMatchObject({ type: 'SlackUnclear' });
    const second = operation(2);
    await second.show({ ...before, ...waiting() });
    expect(thread(second.view())).toHaveLength(1);
    expect(calledFor('U0REVIEWER')).toHaveLength(1);
  });

  it('calls people by name where the rule names no group, never who asked; each by a direct message where that is configured', async () => {
    const { show, view } = operation();
    const approvers = [
      { id: 'operator@example.com', name: 'Operator', slackId: 'U0OPERATOR' },
      { id: 'reviewer@example.com', name: 'Reviewer', slackId: 'U0REVIEWER' },
    ];
    const emails = approvers.map(({ id }) => id);
    await show(waiting({ approvers, calls: { usergroups: [], emails } }));
    expect([calledFor('U0REVIEWER').length, calledFor('U0OPERATOR').length]).toEqual([1, 0]);
    await show(waiting({ gateId: 'g2', approvers, calls: { usergroups: [], emails, dm: true } }));
    expect([calledFor('U0REVIEWER').length, calledFor('U0OPERATOR').length]).toEqual([2, 0]);
    expect(thread(view())[1]?.text).not.toContain('<@');
    expect(slack.drive.notifications('U0REVIEWER').at(-1)?.message.channel).toBe('D0REVIEWER');
  });

  it('without a rule calls whoever asked for the change', async () => {
    const { show, view } = operation();
    const held = { phase: 'holding', stages: stages('held'), verdict: BLIND } as const;
    await show({ ...held, gate: gateAt({ kind: 'hold', quorum: 0, approvers: [] }) });
    expect(calledFor('U0OPERATOR')).toHaveLength(1);
    expect(thread(view())[0]?.text).toMatch(/is held at 1%: .* Choose by .*, else it is rolled back\./);
  });
});
