import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAnnounce } from '../../../activities/announce/index.ts';
import { type SlackPlayground, startSlack } from '../../../playground/slack/slack.ts';
import { createSlackMessages } from '../../../src/clients/slack.ts';
import type { MessageRef, OperationView } from '../../../src/domain/lifecycle/operation.ts';
import { BLIND, COUNTS, everyView, gate, stages, view as viewAt } from '../../messages/views.ts';

const CHANNEL = 'C0MESH';
const SCOPES = ['chat:write', 'channels:history', 'files:write'];
const app = { signingSecret: 'signing', botToken: 'xoxb-test', slashCommands: [], scopes: SCOPES };

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

function view(...[phase, change]: Parameters<typeof viewAt>): OperationView {
  return viewAt(phase, { startedAt: Date.now(), ...change });
}

/** Announces as Temporal would call it: `attempt` is the try it says this is. */
function announcer(
  attempt = 1,
  now: () => number = Date.now,
  describe?: (view: OperationView) => Promise<OperationView | undefined>,
): ReturnType<typeof createAnnounce> {
  const messages = createSlackMessages({ token: 'xoxb-test', apiUrl: slack.apiUrl });
  return createAnnounce({ slack: messages, now, attempt: () => attempt, ...(describe && { describe }) });
}

async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApplicationFailure)) throw new Error(`expected an ApplicationFailure, got ${String(error)}`);
  return error;
}

const roots = (): readonly unknown[] => slack.drive.messages(CHANNEL);
const replies = (ref: MessageRef): readonly { readonly text: string }[] => slack.drive.thread(CHANNEL, ref.ts).slice(1);

describe('announcing an operation', () => {
  it('posts one root message and edits it through every phase', async () => {
    const { announce } = announcer();
    const message = await announce({ view: view('planning'), channelId: CHANNEL });
    for (const one of everyView()) {
      expect(await announce({ view: { ...one.view, message }, channelId: CHANNEL })).toMatchObject(message);
    }
    expect(roots()).toHaveLength(1);
    expect(slack.log.refusals()).toEqual([]);
  });

  it('has posted once when the connection is lost after Slack stored the message and Temporal retries', async () => {
    slack.faults.dropAfterPost();
    const shown = view('planning');
    const failure = await failureOf(announcer(1).announce({ view: shown, channelId: CHANNEL }));
    expect([failure.type, failure.nonRetryable]).toEqual(['SlackUnclear', false]);
    expect(roots()).toHaveLength(1);
    const ref = await announcer(2).announce({ view: shown, channelId: CHANNEL });
    expect(roots()).toMatchObject([{ ts: ref.ts }]);
  });

  it('takes no message of another app for its own, whatever metadata that has', async () => {
    const early = view('planning', { startedAt: Date.now() - 60_000 });
    const payload = { op_id: early.opId, version: '1', key: 'k' };
    slack.drive.postAsOtherApp(CHANNEL, { text: 'not ours', metadata: { event_type: 'meshops_operation', event_payload: payload } });
    const ref = await announcer(2).announce({ view: early, channelId: CHANNEL });
    slack.drive.postAsOtherApp(CHANNEL, {
      text: 'said',
      threadTs: ref.ts,
      metadata: { event_type: 'meshops_note', event_payload: payload },
    });
    await announcer(2).say({ view: early, thread: ref, note: { kind: 'unready', words: 'Look first.' }, key: 'k' });
    expect(roots()).toHaveLength(2);
    expect(replies(ref).map(({ text }) => text)).toEqual(['said', expect.stringContaining('Look first')]);
  });

  it('finds its message by the operation when a later activity does not know of it', async () => {
    const early = view('planning', { startedAt: Date.now() - 60_000 });
    const ref = await announcer(1).announce({ view: early, channelId: CHANNEL });
    expect(await announcer(1).announce({ view: { ...early, phase: 'waiting', gate: gate() }, channelId: CHANNEL })).toMatchObject(ref);
    const other = { ...early, opId: 'op-other' };
    expect(await announcer(2).announce({ view: other, channelId: CHANNEL })).not.toEqual(ref);
    expect(roots()).toHaveLength(2);
  });

  it('waits exactly as long as Slack asks', async () => {
    slack.faults.rateLimited(7);
    const failure = await failureOf(announcer().announce({ view: view('planning'), channelId: CHANNEL }));
    expect(failure).toMatchObject({ type: 'SlackRateLimited', nonRetryable: false, nextRetryDelay: 7000 });
    expect(slack.log.entries()).toHaveLength(1);
  });

  it('does not retry what a person must mend, and says how', async () => {
    const failure = await failureOf(announcer().announce({ view: view('planning'), channelId: 'C0NOWHERE' }));
    expect(failure).toMatchObject({ type: 'SlackRefused', nonRetryable: true, details: ['channel_not_found'] });
    expect(failure.message).toContain('Invite the bot');
  });

  it('posts again when a person has deleted the message', async () => {
    const gone = { channelId: CHANNEL, ts: '1.000001' };
    const ref = await announcer().announce({ view: view('watching', { message: gone }), channelId: CHANNEL });
    expect(ref).not.toEqual(gone);
    expect(roots()).toHaveLength(1);
  });
});

describe('replying in the thread', () => {
  it('says a thing once, even when the answer was lost', async () => {
    const shown = view('watching');
    const thread = await announcer().announce({ view: shown, channelId: CHANNEL });
    const say = { view: shown, thread, note: { kind: 'verdict', verdict: BLIND, stage: '10%' }, key: 'op/1' } as const;
    slack.faults.dropAfterPost();
    expect((await failureOf(announcer(1).say(say))).type).toBe('SlackUnclear');
    await announcer(2).say(say);
    expect(replies(thread)).toHaveLength(1);
    await announcer(2).say({ ...say, key: 'op/2' });
    expect(replies(thread)).toHaveLength(2);
    expect(roots()).toHaveLength(1);
  });

  it('uploads the chart once, with words for people who do not see it', async () => {
    const shown = view('over', { stages: stages('passed') });
    const thread = await announcer().announce({ view: shown, channelId: CHANNEL });
    const series = [
      {
        at: shown.startedAt,
        ms: 1000,
        stage: 1,
        percent: 10,
        canary: { requests: 10, failures: 1 },
        stable: { requests: 90, failures: 0 },
      },
    ];
    await announcer(1).chart({ view: shown, thread, series });
    await announcer(2).chart({ view: shown, thread, series });
    const files = slack.drive.thread(CHANNEL, thread.ts).flatMap((message) => message.files ?? []);
    expect(files).toHaveLength(1);
    expect(files[0]).toMatchObject({ mimetype: 'image/png', title: 'canary demo/backend/backend, operation op-brisk-otter-42' });
    expect(files[0]?.['alt_txt']).toContain('10 requests to the canary, 1 failed');
  });
});

describe('live numbers in the root message', () => {
  const live = { counts: COUNTS, canaryShare: 0.1, at: Date.now() };

  it('edits in place and never rejects, and leaves Slack alone for as long as it asked', async () => {
    let at = Date.now();
    const tool = announcer(1, () => at);
    const watching = view('watching', { stages: stages('watching') });
    const message = await tool.announce({ view: watching, channelId: CHANNEL });
    const shown = { ...watching, message };
    await tool.editMessage(shown, live);
    expect(JSON.stringify(roots())).toContain('1,204 requests, 1 failed');
    slack.faults.rateLimited(30);
    await tool.editMessage(shown, live);
    slack.faults.rateLimited(false);
    const calls = slack.log.entries().length;
    at += 29_000;
    await tool.editMessage(shown, live);
    expect(slack.log.entries()).toHaveLength(calls);
    at += 2_000;
    await tool.editMessage(shown, live);
    expect(
      slack.log
        .entries()
        .slice(calls)
        .map((call) => call.method),
    ).toEqual(['conversations.history', 'chat.update']);
  });

  it('go on while a gate or a hold is open: the watch shows the operation as it is now', async () => {
    const watching = view('watching', { stages: stages('watching', 'pending') });
    const message = await announcer().announce({ view: watching, channelId: CHANNEL });
    let now: OperationView = { ...watching, message, phase: 'waiting', gate: gate() };
    const describe = async (): Promise<OperationView> => now;
    await announcer().announce({ view: now, channelId: CHANNEL });
    const watch = announcer(1, Date.now, describe);
    await watch.editMessage(watching, live);
    expect(JSON.stringify(roots())).toContain('"Approve"');
    expect(JSON.stringify(roots())).toContain('1,204 requests, 1 failed');
    now = { ...watching, message, phase: 'over', outcome: { kind: 'aborted', code: 'Aborted', words: 'Aborted by Operator.' } };
    await announcer().announce({ view: now, channelId: CHANNEL });
    await watch.editMessage(watching, live);
    expect(JSON.stringify(roots())).toContain('Aborted by Operator.');
  });

  it('write again what was announced while the edit was on its way', async () => {
    const watching = view('watching', { stages: stages('watching', 'pending') });
    const message = await announcer().announce({ view: watching, channelId: CHANNEL });
    const states = [{ ...watching, message }, { ...watching, message, phase: 'waiting', gate: gate() } as OperationView];
    const describe = async (): Promise<OperationView | undefined> => (states.length > 1 ? states.shift() : states[0]);
    await announcer(1, Date.now, describe).editMessage(watching, live);
    expect(JSON.stringify(roots())).toContain('"Approve"');
  });

  it('does not write over a gate or an end that another worker has shown meanwhile', async () => {
    const watching = view('watching', { stages: stages('watching', 'pending') });
    const message = await announcer().announce({ view: watching, channelId: CHANNEL });
    const watch = announcer();
    await watch.editMessage({ ...watching, message }, live);
    expect(JSON.stringify(roots())).toContain('1,204 requests, 1 failed');
    await announcer().announce({ view: { ...watching, message, phase: 'waiting', gate: gate() }, channelId: CHANNEL });
    await watch.editMessage({ ...watching, message }, live);
    expect(JSON.stringify(roots())).toContain('"Approve"');
  });

  it("keeps below the workspace's rate when many operations are watched", async () => {
    const at = Date.now();
    const tool = announcer(1, () => at);
    const watched = view('watching', { stages: stages('watching') });
    const message = await tool.announce({ view: watched, channelId: CHANNEL });
    for (let n = 0; n < 40; n += 1) await tool.editMessage({ ...watched, message }, live);
    expect(slack.log.entries().filter((call) => call.method === 'chat.update').length).toBeLessThan(10);
    expect(slack.log.refusals()).toEqual([]);
  });

  it('give way to what is announced: a state counts towards the rate, a number is left out', async () => {
    const at = Date.now();
    const tool = announcer(1, () => at);
    const watched = view('watching', { stages: stages('watching') });
    const message = await tool.announce({ view: watched, channelId: CHANNEL });
    for (let n = 0; n < 8; n += 1) await tool.announce({ view: { ...watched, message }, channelId: CHANNEL });
    const calls = slack.log.entries().length;
    await tool.editMessage({ ...watched, message }, live);
    expect(slack.log.entries()).toHaveLength(calls);
  });
});
