// What an operation asks people, as a post of its own in the thread: an edit calls nobody. Pure.

import type { KnownBlock } from '@slack/types';
import type { Call, Gate } from '../domain/lifecycle/gate.ts';
import type { Answered, OperationView } from '../domain/lifecycle/operation.ts';
import { clockTime, code, fitLines, oneOf, people, person, plural, said } from '../domain/words/words.ts';
import { answerRow } from './buttons.ts';
import { driftLines } from './drift.ts';
import { presentStage } from './ladder.ts';
import { section, subjectOf } from './message.ts';
import { otherwise } from './next-action.ts';

export interface Question {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** So many people are mentioned by name where no group stands for them. */
const MOST_NAMED = 5;

/** The question that is open in this view, or a later call about it. */
export function renderQuestion(view: OperationView, gate: Gate): Question {
  const [first = '', ...rest] = linesOf(view, gate);
  const buttons = answerRow(view);
  return { text: [first, ...rest].join(' '), blocks: [section(fitLines([first, ...rest])), ...(buttons ? [buttons] : [])] };
}

function linesOf(view: OperationView, gate: Gate): readonly string[] {
  const until = `by ${clockTime(gate.expiresAt)}`;
  const { call = 'question' } = gate;
  switch (call) {
    case 'question':
      return [`${whom(view, gate)} ${asked(view, gate)}`, `${needs(gate)} ${until}, ${otherwise(view, gate)}`, ...words(view, gate)];
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
  switch (gate.kind) {
    case 'approval':
      return `approve ${head(view)}? ${change(view, gate)}`;
    case 'hold':
      return `${head(view)} is held${stage === undefined ? '' : ` at ${said(stage, 80)}`}: ${said(view.verdict?.words ?? gate.why ?? 'the watch could not say that it is healthy.', 400)}`;
    case 'drift':
      return `someone changed what ${head(view)} manages: ${driftLines((view.drift ?? []).slice(0, 1))
        .join('')
        .replace(/^•\s+/, '')}`;
    case 'undo':
      return `the rollback of ${head(view)} waits: ${said(gate.why ?? 'nobody could answer the requests after it.', 400)}`;
    default:
      return gate.kind satisfies never;
  }
}

/** What whoever asked has written comes last: no text of theirs hides what changes, who is called, or until when. */
function words({ requester, text, reason }: OperationView, { kind }: Gate): readonly string[] {
  if (kind !== 'approval') return [];
  return [`${said(requester.name, 80)} asks: ${code(text)}${reason === undefined ? '' : ` (${said(reason, 200)})`}`];
}

const STATE: Readonly<Record<Gate['kind'], string>> = {
  approval: 'needs approval',
  hold: 'is held and needs a decision',
  drift: 'is held, someone else changed it',
  undo: 'waits with its rollback',
};

function change({ from, to }: OperationView, { why, approvals }: Gate): string {
  const given = approvals.length > 0 ? ` Approved so far: ${people(approvals.map(({ by }) => ({ id: by.id, name: by.name })))}.` : '';
  if (why !== undefined) return `${said(why, 300)}${given}`;
  return `${from === undefined ? '' : `Now: ${said(from, 200)}. `}${to === undefined ? '' : `Then: ${said(to, 200)}.`}${given}`;
}

function needs({ kind, quorum }: Gate): string {
  if (kind === 'approval') return quorum === 0 ? 'Anyone who may give commands here can approve' : `Needs ${plural(quorum, 'approval')}`;
  return 'Choose';
}

function head(view: OperationView): string {
  return `*${said(subjectOf(view), 150)}*`;
}

/** A question that a later call has taken the buttons of. */
export function renderCalledAgain(view: OperationView, call: Exclude<Call, 'question'>, at: number): Question {
  const how = call === 'reminder' ? 'Reminded' : 'Others were called';
  const text = `${head(view)}: asked. ${how} at ${clockTime(at)}; the newest question has the buttons.`;
  return { text, blocks: [section(text)] };
}

/** A question that is over. What was approved stays in it: the root message goes on to say how far it is. */
export function renderAnswered(view: OperationView, gateId: string): Question {
  const { answered } = view;
  const mine = answered?.gateId === gateId ? answered : undefined;
  const text = `${head(view)}: ${mine ? answerWords(mine) : 'this question is closed.'}`;
  const plan = mine?.choice === 'approve' ? planLines(view) : [];
  return { text, blocks: [section(text), ...(plan.length > 0 ? [section(fitLines(plan))] : [])] };
}

function planLines({ planHash, explanation, watched }: OperationView): readonly string[] {
  if (planHash === undefined || explanation.length === 0) return [];
  const seen = watched.length > 0 ? [`Watched: ${said(watched.join('; '), 500)}`] : [];
  return [`*Plan* ${code(planHash.slice(0, 12))}`, ...explanation.map((line) => `•  ${said(line, 500)}`), ...seen];
}

const CHOSEN: Readonly<Record<Exclude<Answered['choice'], 'expired' | 'withdrawn'>, string>> = {
  approve: 'approved',
  reject: 'rejected',
  extend: 'kept watching',
  continue: 'continued',
  rollback: 'rolled back',
  adopt: 'adopted what was found',
  restore: 'restored',
  leave: 'left as it is',
};

const UNANSWERED: Readonly<Record<Gate['kind'], string>> = {
  approval: 'declined',
  hold: 'rolled back',
  drift: 'left as it is',
  undo: 'rolled back',
};

function answerWords({ choice, by, at, reason, kind }: Answered): string {
  if (choice === 'expired') return `no answer by ${clockTime(at)}: ${UNANSWERED[kind]}.`;
  if (choice === 'withdrawn') return `withdrawn at ${clockTime(at)}, no answer is needed any more.`;
  const who = by.length > 0 ? ` by ${by.map((name) => said(name, 80)).join(' and ')}` : '';
  return `${CHOSEN[choice]}${who} at ${clockTime(at)}${reason === undefined ? '.' : `: ${said(reason, 300)}`}`;
}
