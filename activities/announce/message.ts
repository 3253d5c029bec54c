// The one root message of an operation: what people read while a change runs. Pure.

import type { KnownBlock, MessageMetadata } from '@slack/types';
import type { Gate } from '../../src/domain/gate.ts';
import type { OperationView, Outcome } from '../../src/domain/operation.ts';
import { formatTarget } from '../../src/domain/target.ts';
import { VERB_RECORDS } from '../../src/domain/verb.ts';
import { clockTime, code, codeBlocks, cut, duration, fitLines, moment, people, percent, person, said } from '../../src/domain/words.ts';
import { buttonRow } from '../../src/messages/buttons.ts';
import { countsWords, ladder, presentStage, sideWords } from '../../src/messages/ladder.ts';
import { acceptedLines } from './accepted.ts';
import { heldLines } from './held.ts';
import { nextAction, stateWords } from './next-action.ts';
import { versionOf } from './version.ts';

export interface RenderedMessage {
  /** What notifications, screen readers and clients without blocks show. */
  readonly text: string;
  readonly blocks: KnownBlock[];
  readonly metadata: MessageMetadata;
}

/** Metadata by which a root message is found again when nobody knows whether it was posted. */
export const ROOT_EVENT = 'meshops_operation';

/** Renders an operation as its root message. `now` in epoch ms; the words about time left hold for that moment. */
export function renderRoot(view: OperationView, now: number): RenderedMessage {
  const held = heldLines(view);
  const blocks = [
    header(`${capital(view.verb)} ${view.target.namespace}/${view.target.name}: ${stateWords(view)}`),
    section(request(view)),
    ...explanation(view),
    ...(view.stages.length > 0 ? [section(`*Stages*\n${ladder(view, now)}`)] : []),
    ...live(view),
    ...(held.length > 0 ? [section(fitLines(held))] : []),
    ...acceptedLines(view).map((lines) => section(fitLines(lines))),
    ...awaited(view),
    ...(view.gate ? [section(gate(view.gate, now))] : []),
    ...undoFailing(view, now),
    ...(view.outcome ? [section(outcome(view.outcome, view))] : []),
    section(`*Next:* ${nextAction(view)}`),
    ...[buttonRow(view)].filter((row) => row !== undefined),
    footer(view, now),
  ];
  return {
    text: summary(view),
    blocks,
    metadata: { event_type: ROOT_EVENT, event_payload: { op_id: view.opId, version: versionOf(view) } },
  };
}

/** One line for notifications: state first, then what and who. Names, not mentions: an edit must not call people again. */
export function summary(view: OperationView): string {
  // What was meant is no news once it is over: what there is now is.
  const change = view.outcome ? nowWords(view.outcome) : view.to ? `, to ${said(view.to, 200)}` : '';
  const end = view.outcome ? ` ${said(view.outcome.words, 500)}` : '';
  return `${capital(view.verb)} ${said(formatTarget(view.target))}: ${said(stateWords(view))}${change}. Asked by ${said(view.requester.name, 80)}.${end}`;
}

function nowWords({ now }: Outcome): string {
  return now === undefined ? '' : `. Now: ${said(now, 200)}`;
}

export function section(text: string): KnownBlock {
  return { type: 'section', text: { type: 'mrkdwn', text: text || ' ', verbatim: true } };
}

function header(text: string): KnownBlock {
  return { type: 'header', text: { type: 'plain_text', text: cut(text, 140), emoji: false } };
}

function context(text: string): KnownBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}

function request(view: OperationView): string {
  const requester = person({ name: view.requester.name, ...(view.requester.slack ? { slackId: view.requester.slack.userId } : {}) });
  return fitLines([
    `${requester} asked ${moment(view.startedAt)}: ${code(view.text)}`,
    ...(view.reason ? [`Reason: ${said(view.reason, 400)}`] : []),
    ...(view.outcome ? [] : fromTo(view)),
  ]);
}

function fromTo({ from, to }: OperationView): readonly string[] {
  return [...(from ? [`*From*  ${said(from)}`] : []), ...(to ? [`*To*  ${said(to)}`] : [])];
}

function explanation(view: OperationView): KnownBlock[] {
  const watched = view.watched.length > 0 ? [context(`Watched: ${said(view.watched.join('; '), 500)}`)] : [];
  if (view.explanation.length === 0) return watched;
  return [section(fitLines(view.explanation.map((line) => `•  ${said(line, 500)}`))), ...watched];
}

function live(view: OperationView): KnownBlock[] {
  if (!view.live || view.phase === 'restoring' || view.phase === 'over') return [];
  const { counts, canaryShare, at, unseen } = view.live;
  const asked = presentStage(view)?.exposure;
  const { sides } = VERB_RECORDS[view.verb].words;
  const field = (text: string): { type: 'mrkdwn'; text: string; verbatim: true } => ({ type: 'mrkdwn', text, verbatim: true });
  return [
    {
      type: 'section',
      fields: [
        field(`*${capital(sides.changed)}*\n${sideWords(counts.canary, sides)}`),
        field(`*${capital(sides.rest)}*\n${sideWords(counts.stable, sides)}`),
        field(`*Share*\n${percentMeasured(canaryShare)} measured${asked === undefined ? '' : `, ${percent(asked)} asked`}`),
        field(`*Seen*\nuntil ${clockTime(at)}`),
      ],
    },
    ...(unseen === undefined ? [] : [context(`Not seen: ${said(unseen, 300)}`)]),
  ];
}

function percentMeasured(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

const AWAITED: Readonly<Record<NonNullable<OperationView['awaited']>['what'], string>> = {
  records: 'The database has not answered since',
  approvers: 'Slack has not said who may approve since',
  plan: 'The plan is not made: the database or the cluster has not answered since',
};

/** An outage that keeps the operation waiting. */
function awaited({ awaited: away, stages }: OperationView): KnownBlock[] {
  if (!away) return [];
  const exposed = stages.some(({ startedAt }) => startedAt !== undefined);
  const now = exposed ? 'What is in place stays and is watched.' : 'Nothing has changed.';
  return [section(`*Why:* ${AWAITED[away.what]} ${clockTime(away.since)}. ${now} It goes on when there is an answer.`)];
}

function gate(gate: Gate, now: number): string {
  const given = gate.approvals.slice(0, 10).map((one) => `${person(one.by)} ${clockTime(one.at)}`);
  return fitLines([
    ...(gate.kind === 'approval' && gate.why !== undefined ? [said(gate.why, 300)] : []),
    `${gate.kind === 'approval' ? '*Approval*' : '*Decision*'}  ${quorumWords(gate)}`,
    ...(gate.quorum > 0
      ? [`Given so far: ${gate.approvals.length} of ${gate.quorum}${given.length > 0 ? ` (${given.join(', ')})` : ''}`]
      : []),
    now < gate.expiresAt ? `Open until ${clockTime(gate.expiresAt)}.` : `The time to decide ended ${clockTime(gate.expiresAt)}.`,
  ]);
}

const GATE_NEEDS: Readonly<Record<Gate['kind'], string>> = {
  approval: '',
  hold: ' to continue',
  drift: ' to adopt or to restore',
  undo: '',
};

function quorumWords(gate: Gate): string {
  if (gate.quorum === 0) return 'No approval is needed; anybody who may give commands here may choose.';
  const needed = gate.quorum === 1 ? 'One approval is needed' : `${gate.quorum} approvals are needed`;
  return `${needed}${GATE_NEEDS[gate.kind]}, from ${people(gate.approvers)}.`;
}

function undoFailing(view: OperationView, now: number): KnownBlock[] {
  if (!view.undoFailing) return [];
  const { since, reason, commands } = view.undoFailing;
  return [
    section(
      `*The undo has been failing for ${duration(now - since)}* (since ${clockTime(since)}). The change is still in force.\nReason: ${said(reason, 500)}`,
    ),
    ...(view.releases?.length
      ? [section(`*Release:* ${view.releases.map(({ by, at }) => `${person(by)} ${clockTime(at)}`).join(', ')}. Two people are needed.`)]
      : []),
    ...(commands.length > 0
      ? [section('It goes on trying. By hand, with rights on the cluster:'), ...codeBlocks(commands).map(section)]
      : []),
  ];
}

function outcome(outcome: Outcome, view: OperationView): string {
  const counts = outcome.verdict?.counts ?? presentStage(view)?.counts;
  const told = VERB_RECORDS[view.verb].countsInVerdict && outcome.verdict !== undefined && outcome.words.includes(outcome.verdict.words);
  return fitLines([
    `*Outcome*  ${said(outcome.words, 500)}`,
    ...(outcome.now === undefined ? [] : [`*Now*  ${said(outcome.now, 500)}.`]),
    ...(counts && counts.canary.requests > 0 && !told ? [countsWords(counts, view.verb)] : []),
    ...restored(outcome),
  ]);
}

/** The sentence people look for, unless the outcome's own words have said it. What was not put back exactly stands in those words. */
function restored(outcome: Outcome): readonly string[] {
  const told = outcome.words.includes('exactly as it was before') || outcome.now?.includes('exactly as before');
  return outcome.restoredExactly && !told ? ['Read back and compared: the mesh is exactly as it was before.'] : [];
}

function footer(view: OperationView, now: number): KnownBlock {
  const plan = view.planHash ? `  ·  plan ${code(view.planHash.slice(0, 12))}` : '';
  return context(`Operation ${code(view.opId)}  ·  ${said(formatTarget(view.target))}${plan}  ·  updated ${moment(now)}`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
