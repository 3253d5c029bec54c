// What an operation asks people: a post in the thread for each call, edited when it is answered. Only the operation's own announcements write here.

import { createHash } from 'node:crypto';
import { type SlackMessages, SlackRefused, type SlackText } from '../../src/clients/slack.ts';
import type { Call, Gate } from '../../src/domain/lifecycle/gate.ts';
import type { MessageRef, OperationView, QuestionRef } from '../../src/domain/lifecycle/operation.ts';
import type { Log } from '../../src/log.ts';
import { type Question, renderAnswered, renderCalledAgain, renderQuestion } from '../../src/messages/question.ts';
import { find } from './find.ts';

const QUESTION_EVENT = 'meshops_question';
/** So many people have a message of their own; a question to more belongs into a channel. */
const MOST_DIRECT = 20;

export interface AskDeps {
  readonly slack: SlackMessages;
  readonly now: () => number;
  /** An earlier try may have posted it. */
  readonly mayBePosted: boolean;
  readonly logger?: Log | undefined;
}

/**
 * Brings the questions in the thread to what the view says: asks what is open, calls again what is due, closes what is answered. What Slack refuses is
 * left: the root message has the buttons as well. Rejects with what another try may mend.
 */
export async function showQuestion(deps: AskDeps, view: OperationView, thread: MessageRef): Promise<QuestionRef | undefined> {
  const { gate, message } = view;
  const open = view.phase === 'over' ? undefined : gate;
  const known = message?.question;
  try {
    if (known && known.gateId !== open?.gateId) await edit(deps, thread, known, view, renderAnswered(view, known.gateId));
    return open && (await ask(deps, view, thread, open, known?.gateId === open.gateId ? known : undefined));
  } catch (error) {
    if (!(error instanceof SlackRefused)) throw error;
    deps.logger?.warn({ opId: view.opId, err: error }, 'a question could not be shown in its thread');
    return known;
  }
}

async function ask(
  deps: AskDeps,
  view: OperationView,
  thread: MessageRef,
  gate: Gate,
  known: QuestionRef | undefined,
): Promise<QuestionRef> {
  const call = gate.call ?? 'question';
  const question = renderQuestion(view, gate);
  const version = createHash('sha256').update(JSON.stringify(question)).digest('hex').slice(0, 16);
  if (known?.call === call) {
    if (known.version !== version) await edit(deps, thread, known, view, question);
    return { ...known, version };
  }
  const ts = (await posted(deps, view, thread, gate)) ?? (await post(deps, view, thread, gate, question));
  if (known && call !== 'question') await edit(deps, thread, known, view, renderCalledAgain(view, call, deps.now()));
  return { gateId: gate.gateId, call, ts, version };
}

async function posted({ slack, mayBePosted }: AskDeps, view: OperationView, thread: MessageRef, gate: Gate): Promise<string | undefined> {
  if (!mayBePosted) return undefined;
  const { op_id, gate_id, call } = payloadOf(view, gate.gateId, gate.call ?? 'question');
  const found = await find(slack, thread.channelId, { oldest: Number(thread.ts) - 1, threadTs: thread.ts }, ({ event }) => {
    const { type, payload } = event ?? {};
    return type === QUESTION_EVENT && payload?.['op_id'] === op_id && payload['gate_id'] === gate_id && payload['call'] === call;
  });
  return found?.ts;
}

async function post({ slack, logger }: AskDeps, view: OperationView, thread: MessageRef, gate: Gate, question: Question): Promise<string> {
  const call = gate.call ?? 'question';
  const broadcast = call === 'escalation' && { reply_broadcast: true };
  const ts = await slack.post(thread.channelId, { ...messageOf(question, view, gate.gateId, call), ...broadcast }, thread.ts);
  if (!gate.calls?.dm || call === 'escalation') return ts;
  // Best effort: a second try would call everybody twice, and the thread has it.
  for (const { id, slackId } of gate.approvers.slice(0, MOST_DIRECT)) {
    if (slackId === undefined || id === view.requester.id) continue;
    await slack.post(slackId, messageOf(question, view, gate.gateId, call)).catch((error: unknown) => {
      logger?.warn({ opId: view.opId, err: error }, 'a question could not be sent as a direct message');
    });
  }
  return ts;
}

async function edit(
  { slack, logger }: AskDeps,
  thread: MessageRef,
  known: QuestionRef,
  view: OperationView,
  question: Question,
): Promise<void> {
  try {
    await slack.update(thread.channelId, known.ts, messageOf(question, view, known.gateId, known.call));
  } catch (error) {
    // Somebody has deleted it: nothing is left to bring up to date.
    if (!(error instanceof SlackRefused)) throw error;
    logger?.warn({ opId: view.opId, err: error }, 'a question in its thread could not be brought up to date');
  }
}

function messageOf(question: Question, view: OperationView, gateId: string, call: Call): SlackText {
  return { ...question, metadata: { event_type: QUESTION_EVENT, event_payload: payloadOf(view, gateId, call) } };
}

function payloadOf({ opId, runId }: OperationView, gateId: string, call: Call): { op_id: string; gate_id: string; call: string } {
  // A run that ends a lost operation counts its gates from one again.
  return { op_id: opId, gate_id: `${runId.slice(-12)}/${gateId}`, call };
}
