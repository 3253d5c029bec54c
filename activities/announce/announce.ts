// Posts the one root message of an operation, edits it in place, and replies in its thread.

import { type SlackMessages, SlackRateLimited, SlackRefused, type StoredMessage } from '../../src/clients/slack.ts';
import type { Note, Shared } from '../../src/domain/lifecycle/contract.ts';
import type { MessageRef, OperationView } from '../../src/domain/lifecycle/operation.ts';
import type { Attachment } from '../../src/domain/lifecycle/plan.ts';
import type { Log } from '../../src/log.ts';
import { ROOT_EVENT, renderRoot, section } from '../../src/messages/message.ts';
import { renderNote } from '../../src/messages/note.ts';
import { versionOf } from '../../src/messages/version.ts';
import { slackFailure } from './failure.ts';
import { find } from './find.ts';
import { createLanes } from './lanes.ts';
import { createPace, type Pace } from './pace.ts';
import { showQuestion } from './questions.ts';

interface AnnounceDeps {
  readonly slack: SlackMessages;
  /** Epoch ms. */
  readonly now: () => number;
  /** Which try of its activity this is, from 1. */
  readonly attempt: () => number;
  readonly logger?: Log | undefined;
  /** Edits of messages a minute that this process may send; the rest of the workspace's 50 is for posts that matter. */
  readonly editsPerMinute?: number | undefined;
  /** What an operation shows now, by its own word; undefined when it cannot be asked. Left out: only what the caller knew is shown. */
  readonly describe?: ((view: OperationView) => Promise<OperationView | undefined>) | undefined;
  /** Id of the usergroup that is called when an undo keeps failing. */
  readonly onCall?: (() => string | undefined) | undefined;
}

export type Live = NonNullable<OperationView['live']>;

/** Newer states that are written over one edit. */
const MOST_REPEATS = 3;
const NOTE_EVENT = 'meshops_note';
/** What the whole channel should know at once. */
const BROADCAST: ReadonlySet<Note['kind']> = new Set(['emergency', 'lost', 'fuse', 'undo-failing', 'still-failing']);
/** A first try this soon after the command cannot have a forerunner whose answer was lost. */
const FRESH_MS = 10_000;
/** Slack's clock and ours may differ by this much (seconds). */
const CLOCK_SLACK_S = 120;

export interface Announcer extends Pick<Shared, 'announce' | 'say'> {
  /**
   * Shows live numbers in the root message, as long as the message still shows this view: a newer state is never written over.
   * Never rejects: a watch must not stop because Slack is slow or down.
   */
  editMessage(view: OperationView, live: Live): Promise<void>;
  /** Says one thing in the thread of an operation that may be over. `key` makes a repetition harmless. */
  tell(thread: MessageRef, what: { readonly opId: string; readonly text: string; readonly key: string }): Promise<void>;
  /** Puts a file into the thread, once. */
  attach(thread: MessageRef, attachment: Attachment): Promise<void>;
}

export function createAnnouncer(deps: AnnounceDeps): Announcer {
  const { now, attempt } = deps;
  const lanes = createLanes();
  const pace = createPace(deps.editsPerMinute ?? 40, now);
  const slack = paced(deps.slack, pace);
  /** What an announcement has shown of an operation that is still to be told in its thread, as JSON. */
  const shownRoots = new Map<string, string>();

  async function announce({
    view,
    channelId,
  }: {
    readonly view: OperationView;
    readonly channelId: string;
  }): ReturnType<Shared['announce']> {
    const mayBePosted = attempt() > 1 || now() - view.startedAt > FRESH_MS;
    try {
      return await lanes.run(view.opId, async () => {
        const ref = view.message ?? (mayBePosted ? await findRoot(slack, channelId, view) : undefined);
        const shown = await showRoot(channelId, ref, view);
        const question = await showQuestion({ slack, now, mayBePosted: attempt() > 1, logger: deps.logger }, view, shown);
        shownRoots.delete(view.opId);
        return { ...shown, ...(question && { question }) };
      });
    } catch (error) {
      if (error instanceof SlackRateLimited) pace.holdUntil(now() + error.retryAfterMs);
      throw slackFailure(error);
    }
  }

  /** Another try does not send what an earlier one has shown: it would use up the edit that its question waits for. */
  async function showRoot(channelId: string, ref: MessageRef | undefined, view: OperationView): Promise<MessageRef> {
    const message = renderRoot(view);
    const json = JSON.stringify(message);
    if (attempt() > 1 && ref && shownRoots.get(view.opId) === json) return { channelId: ref.channelId, ts: ref.ts };
    const shown = await editOrPost(slack, channelId, ref, message);
    shownRoots.set(view.opId, json);
    return shown;
  }

  async function say({ view, thread, note, key }: Parameters<Shared['say']>[0]): Promise<void> {
    try {
      const said = (message: StoredMessage): boolean => message.event?.type === NOTE_EVENT && message.event.payload['key'] === key;
      const where = { oldest: Number(thread.ts) - 1, threadTs: thread.ts };
      // The question's own post says who has answered.
      if (note.kind === 'approved') return;
      if (note.kind === 'attachment') return await attach(thread, note.attachment);
      if (attempt() > 1 && (await find(slack, thread.channelId, where, said))) return;
      const metadata = { event_type: NOTE_EVENT, event_payload: { op_id: view.opId, key } };
      const broadcast = BROADCAST.has(note.kind) && { reply_broadcast: true };
      await slack.post(thread.channelId, { ...renderNote(note, view, deps.onCall?.()), metadata, ...broadcast }, thread.ts);
    } catch (error) {
      throw slackFailure(error);
    }
  }

  async function attach({ channelId, ts }: MessageRef, { name, title, comment, text }: Attachment): Promise<void> {
    const where = { oldest: Number(ts) - 1, threadTs: ts };
    if (attempt() > 1 && (await find(slack, channelId, where, ({ files }) => files.includes(name)))) return;
    const bytes = new TextEncoder().encode(text);
    await slack.upload({ channelId, threadTs: ts, name, title, altText: title, comment: comment.slice(0, 2_000), bytes });
  }

  async function editMessage(view: OperationView, live: Live): Promise<void> {
    if (lanes.isBusy(view.opId) || !pace.mayEdit()) return;
    try {
      await lanes.run(view.opId, () => showLive(view, live));
    } catch (error) {
      if (error instanceof SlackRateLimited) pace.holdUntil(now() + error.retryAfterMs);
      deps.logger?.warn({ opId: view.opId, err: error }, 'the live numbers were not shown in Slack; the watch goes on');
    }
  }

  /**
   * A watch knows the operation as it was when the watch began: what is shown is asked for. A state that was announced while the edit was
   * on its way (a gate, the end) is written again over it.
   */
  async function showLive(view: OperationView, live: Live): Promise<void> {
    let shown = await presentOf(view);
    if (!shown || isOver(shown)) return;
    for (let tries = 0; tries < MOST_REPEATS; tries += 1) {
      if (!shown.message) return;
      const { channelId, ts } = shown.message;
      await slack.update(channelId, ts, renderRoot(isOver(shown) ? shown : { ...shown, live }));
      const after = await deps.describe?.(view);
      if (!after || versionOf(after) === versionOf(shown)) return;
      shown = after;
    }
  }

  /** Undefined: nobody can say, and what the message shows is another state than this watch knows. */
  async function presentOf(view: OperationView): Promise<OperationView | undefined> {
    const described = await deps.describe?.(view);
    if (described) return described;
    const shown = view.message && (await slack.read(view.message.channelId, view.message.ts));
    return shown?.event?.payload['version'] === versionOf(view) ? view : undefined;
  }

  async function tell(thread: MessageRef, { opId, text, key }: Parameters<Announcer['tell']>[1]): Promise<void> {
    const said = (message: StoredMessage): boolean => message.event?.type === NOTE_EVENT && message.event.payload['key'] === key;
    if (attempt() > 1 && (await find(slack, thread.channelId, { oldest: Number(thread.ts) - 1, threadTs: thread.ts }, said))) return;
    const metadata = { event_type: NOTE_EVENT, event_payload: { op_id: opId, key } };
    await slack.post(thread.channelId, { text, blocks: [section(text)], metadata }, thread.ts);
  }

  return { announce, say, editMessage, tell, attach };
}

/** The same client; every edit counts towards the pace. */
function paced(slack: SlackMessages, pace: Pace): SlackMessages {
  return {
    post: (...words) => slack.post(...words),
    update: (...words) => {
      pace.spend();
      return slack.update(...words);
    },
    read: (...words) => slack.read(...words),
    stored: (...words) => slack.stored(...words),
    upload: (file) => slack.upload(file),
  };
}

function isOver({ phase }: OperationView): boolean {
  return phase === 'over';
}

/** Edits the message; one that a person has deleted is posted again, so that a running change is never without its message. */
async function editOrPost(
  slack: SlackMessages,
  channelId: string,
  ref: MessageRef | undefined,
  message: ReturnType<typeof renderRoot>,
): Promise<MessageRef> {
  if (ref) {
    try {
      await slack.update(ref.channelId, ref.ts, message);
      return { channelId: ref.channelId, ts: ref.ts };
    } catch (error) {
      if (!(error instanceof SlackRefused && error.code === 'message_not_found')) throw error;
    }
  }
  return { channelId, ts: await slack.post(channelId, message) };
}

async function findRoot(slack: SlackMessages, channelId: string, view: OperationView): Promise<MessageRef | undefined> {
  const where = { oldest: view.startedAt / 1000 - CLOCK_SLACK_S };
  const found = await find(slack, channelId, where, ({ event }) => event?.type === ROOT_EVENT && event.payload['op_id'] === view.opId);
  return found ? { channelId, ts: found.ts } : undefined;
}
