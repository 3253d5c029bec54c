// What an operation asks people, as a post of its own in the thread: an edit calls nobody. Pure.

import type { KnownBlock } from '@slack/types';
import type { Call, Gate } from '../domain/lifecycle/gate.ts';
import type { Answered, OperationView } from '../domain/lifecycle/operation.ts';
import { clockTime, code, fitLines, oneOf, people, person, plural, said } from '../domain/words/words.ts';
import { answerRow } from './buttons.ts';
import { driftLines } from './drift.ts';
import { subjectOf } from './headline.ts';
import { leadOf, reasonNow } from './held.ts';
import { presentStage } from './ladder.ts';
import { section } from './message.ts';
import { otherwise } from './next-action.ts';

export interface Question {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** So many people are mentioned by name where no group stands for them. */
const MOST_NAMED = 5;

/** The question that is open in this view, or a later call about it. What is asked for the first time has its plan below it. */
export function renderQuestion(view: OperationView, gate: Gate): Question {
  const lines = linesOf(view, gate);
  const buttons = answerRow(view);
  const plan = gate.kind === 'approval' && (gate.call ?? 'question') === 'question' ? planLines(view) : [];
  return {
    text: lines.join(' '),
    blocks: [section(fitLines(lines)), ...(plan.length > 0 ? [section(fitLines(plan))] : []), ...(buttons ? [buttons] : [])],
  };
}

function linesOf(view: OperationView, gate: Gate): readonly string[] {
  const until = `by ${clockTime(gate.expiresAt)}`;
  const { call = 'question' } = gate;
  switch (call) {
    case 'question':
      return withReason(view, gate, [`${whom(view, gate)} ${asked(view, gate)}`, `${needs(gate)} ${until}, ${otherwise(view, gate)}`]);
    case 'reminder':
      return [`${whom(view, gate)} ${head(view)} still needs an answer. ${needs(gate)} ${until}, ${otherwise(view, gate)}`];
    case 'escalation':
      return [
        `<!subteam^${gate.calls?.escalate}> nobody has answered since ${clockTime(gate.openedAt)}: ${head(view)} ${STATE[gate.kind]}.`,
        `${needs(gate)} ${until}, ${otherwise(view, gate)}`,
      ];
    default:
      return call satisfies never;
  }
}

/** Mentions of whoever may answer; names alone where each of them has a message of their own. */
function whom(view: OperationView, gate: Gate): string {
  const { calls, approvers } = gate;
  const { requester } = view;
  const others = approvers.filter(({ id }) => id !== requester.id);
  if (calls?.dm)
    return others.length > 0
      ? `${oneOf(
          others.map(({ name }) => said(name, 80)),
          MOST_NAMED,
        )}:`
      : 'Approvers:';
  const groups = (calls?.usergroups ?? []).map((id) => `<!subteam^${id}>`);
  const named = groups.length > 0 ? others.filter(({ id }) => calls?.emails.includes(id)) : others;
  const called = [...groups, ...named.slice(0, MOST_NAMED).map(person)];
  return called.length > 0
    ? called.join(' ')
    : person({ name: requester.name, ...(requester.slack && { slackId: requester.slack.userId }) });
}

function asked(view: OperationView, gate: Gate): string {
  const stage = presentStage(view)?.label;
  const lead = leadOf(view);
  switch (gate.kind) {
    case 'approval':
      return `approve ${head(view)}? ${lead === undefined ? '' : `${said(lead, 110)} `}${change(view, gate)}`;
    case 'hold':
      return `${head(view)} is held${stage === undefined ? '' : ` at ${said(stage, 40)}`}: ${said(reasonNow(view) ?? 'the watch could not say that it is healthy.', 120)}`;
    case 'drift':
      return `someone changed what ${head(view)} manages: ${driftLines((view.drift ?? []).slice(0, 1))
        .join('')
        .replace(/^•\s+/, '')}`;
    case 'undo':
      return `the rollback of ${head(view)} waits: ${said(gate.why ?? 'nobody could answer the requests after it.', 120)}`;
    default:
      return gate.kind satisfies never;
  }
}

/** A question has about so many characters that people see; a mention and a time are about as long as what they are written as. */
const LONGEST_QUESTION = 330;
const SHORTEST_REASON = 20;

/** What a person has written comes last: no text of theirs hides what changes, who is called, or until when. */
function withReason({ requester, reason }: OperationView, { kind }: Gate, lines: readonly string[]): readonly string[] {
  if (kind !== 'approval') return lines;
  const who = `${said(requester.name, 40)} asks`;
  const room = LONGEST_QUESTION - lines.join(' ').length - who.length;
  return [...lines, reason === undefined ? `${who}.` : `${who}: "${said(reason, Math.max(SHORTEST_REASON, Math.min(200, room)))}"`];
}

const STATE: Readonly<Record<Gate['kind'], string>> = {
  approval: 'needs approval',
  hold: 'is held and needs a decision',
  drift: 'is held, someone else changed it',
  undo: 'waits with its rollback',
};

function change({ from, to }: OperationView, { why, approvals }: Gate): string {
  const given = approvals.length > 0 ? ` Approved so far: ${people(approvals.map(({ by }) => ({ id: by.id, name: by.name })))}.` : '';
  if (why !== undefined) return `${said(why, 160)}${given}`;
  return `${from === undefined ? '' : `Now: ${said(from, 60)}. `}${to === undefined ? '' : `Then: ${said(to, 160)}.`}${given}`;
}

function needs({ kind, quorum }: Gate): string {
  if (kind === 'approval') return quorum === 0 ? 'Needs 1 approval from anyone here' : `Needs ${plural(quorum, 'approval')}`;
  return 'Choose';
}

function head(view: OperationView): string {
  return `*${said(subjectOf(view), 150)}*`;
}

/** A question that a later call has taken the buttons of. */
export function renderCalledAgain(view: OperationView, call: Exclude<Call, 'question'>, at: number): Question {
  const how = call === 'reminder' ? 'Reminded' : 'Others were called';
  const text = `${head(view)}: asked. ${how} at ${clockTime(at)}; the newest question has the buttons.`;
  const plan = view.gate?.kind === 'approval' ? planLines(view) : [];
  return { text, blocks: [section(text), ...(plan.length > 0 ? [section(fitLines(plan))] : [])] };
}

/** A question that is over. What was approved stays in it: the root message goes on to say how far it is. */
export function renderAnswered(view: OperationView, gateId: string): Question {
  const { answered } = view;
  const mine = answered?.gateId === gateId ? answered : undefined;
  const text = `${head(view)}: ${mine ? answerWords(mine) : 'this question is closed.'}`;
  const plan = mine?.choice === 'approve' ? planLines(view) : [];
  return { text, blocks: [section(text), ...(plan.length > 0 ? [section(fitLines(plan))] : [])] };
}

/** What does not change after planning: what was asked for, from what to what, how, and what is watched. None before there is a plan. */
export function planLines({ planHash, opId, text, from, to, explanation, watched }: OperationView): readonly string[] {
  if (planHash === undefined || explanation.length === 0) return [];
  const seen = watched.length > 0 ? [`Watched: ${said(watched.join('; '), 500)}`] : [];
  const change = from && to ? [`Now: ${said(from, 300)}. Then: ${said(to, 300)}.`] : [];
  const head = `*Plan ${code(planHash.slice(0, 8))} for ${said(opId, 80)}:* ${code(text)}`;
  return [head, ...change, ...explanation.map((line) => `•  ${said(line, 500)}`), ...seen];
}

const CHOSEN: Readonly<Record<Exclude<Answered['choice'], 'expired' | 'withdrawn'>, string>> = {
  approve: 'approved',
  reject: 'rejected',
  extend: 'kept watching',
  continue: 'continued',
  rollback: 'rolled back',
  adopt: 'theirs kept',
  restore: 'ours written again',
  leave: 'stopped, left as changed',
};

const UNANSWERED: Readonly<Record<Gate['kind'], string>> = {
  approval: 'declined',
  hold: 'rolled back',
  drift: 'stopped, left as changed',
  undo: 'rolled back',
};

function answerWords({ choice, by, at, reason, kind }: Answered): string {
  if (choice === 'expired') return `no answer by ${clockTime(at)}: ${UNANSWERED[kind]}.`;
  if (choice === 'withdrawn') return `withdrawn at ${clockTime(at)}, no answer is needed any more.`;
  const who = by.length > 0 ? ` by ${by.map((name) => said(name, 80)).join(' and ')}` : '';
  return `${CHOSEN[choice]}${who} at ${clockTime(at)}${reason === undefined ? '.' : `: ${said(reason, 300)}`}`;
}
