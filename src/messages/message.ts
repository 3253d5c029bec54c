// The one root message of an operation: what people read while a change runs. Pure.

import type { KnownBlock, MessageMetadata } from '@slack/types';
import { CHANGED, REST } from '../domain/judge/verdict.ts';
import type { OperationView, Outcome } from '../domain/lifecycle/operation.ts';
import { EXACTLY_AS_BEFORE } from '../domain/lifecycle/outcome.ts';
import { recordOf } from '../domain/verb.ts';
import { capital, clockTime, code, cut, fitLines, frozenWords, percent, person, said } from '../domain/words/words.ts';
import { acceptedLines } from './accepted.ts';
import { buttonRow } from './buttons.ts';
import { headline } from './headline.ts';
import { leadOf, meanwhileLines, reasonNow, whyLines, withoutOdds } from './held.ts';
import { countsWords, presentStage, sideWords, steps as stepLines } from './ladder.ts';
import { nextLines } from './next-action.ts';
import { versionOf } from './version.ts';

interface RenderedMessage {
  /** What notifications, screen readers and clients without blocks show. */
  readonly text: string;
  readonly blocks: KnownBlock[];
  readonly metadata: MessageMetadata;
}

/** Metadata by which a root message is found again when nobody knows whether it was posted. */
export const ROOT_EVENT = 'meshops_operation';

/**
 * Renders an operation as its root message: what is wrong or changes, how far it is, the numbers, and who must do what until when. One screen of a
 * telephone: what does not change after planning is in the thread.
 */
export function renderRoot(view: OperationView): RenderedMessage {
  const steps = view.phase === 'holding' ? [] : stepLines(view);
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['change', firstLines(view)],
    ['steps', steps],
    ['numbers', numberLines(view)],
    ['why', [...meanwhileLines(view), ...acceptedLines(view), ...awaited(view)]],
    ['next', nextLines(view)],
  ];
  const blocks = [
    header(headline(view)),
    ...parts.flatMap(([name, lines]) => (lines.length > 0 ? [{ ...section(fitLines(lines)), block_id: `meshops:${name}` }] : [])),
    ...[buttonRow(view)].filter((row) => row !== undefined),
    footer(view),
  ];
  return {
    text: summary(view),
    blocks,
    metadata: { event_type: ROOT_EVENT, event_payload: { op_id: view.opId, version: versionOf(view) } },
  };
}

/** A notification has at most so many characters. */
const LONGEST_SUMMARY = 200;

/** One line for notifications: the headline and the first sentence below it. Names, not mentions: an edit must not call people again. */
export function summary(view: OperationView): string {
  const { outcome } = view;
  const now = outcome?.now === undefined ? '' : ` Now: ${outcome.now}.`;
  const line = headline(view);
  // How it is now is worth more than how it came to that: the first sentence says enough.
  const why = outcome ? (now === '' ? withoutOdds(outcome.words) : firstSentence(withoutOdds(outcome.words))) : undefined;
  if (view.phase === 'holding' && view.frozen && !view.gate) return `${said(line)}. ${capital(frozenWords(view.frozen))}`;
  const words = cut(
    why ?? reasonNow(view) ?? leadOf(view) ?? changeWords(view, (text) => text),
    Math.max(20, LONGEST_SUMMARY - line.length - now.length - 2),
  );
  return said(`${line}.${words === '' ? '' : ` ${words}`}${now}`, LONGEST_SUMMARY);
}

function firstSentence(words: string): string {
  return words.split(/(?<=\.)\s/)[0] ?? '';
}

/** Slack's limit for one section. */
const SECTION_CHARS = 3_000;

export function section(text: string): KnownBlock {
  const cut = text.length > SECTION_CHARS ? `${text.slice(0, SECTION_CHARS - 1)}…` : text;
  return { type: 'section', text: { type: 'mrkdwn', text: cut || ' ', verbatim: true } };
}

function header(text: string): KnownBlock {
  return { type: 'header', block_id: 'meshops:head', text: { type: 'plain_text', text: cut(text, 140), emoji: false } };
}

function context(text: string): KnownBlock {
  return { type: 'context', block_id: 'meshops:id', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}

/** What people read first: what is wrong, else what changes. */
function firstLines(view: OperationView): readonly string[] {
  if (view.outcome) return ended(view, view.outcome);
  const why = whyLines(view);
  const lead = leadOf(view);
  return why.length > 0 ? why : [...(lead === undefined ? [] : [`*${said(lead, 250)}*`]), ...change(view)];
}

/** From what it is to what it becomes; empty while nobody knows. `shown`: how each of the two is written. */
function changeWords({ from, to }: OperationView, shown: (text: string) => string): string {
  return from && to ? `${shown(from)} → ${shown(to)}.` : shown(to ?? from ?? '');
}

function change(view: OperationView): readonly string[] {
  // What changes comes before what a person wrote: no text of theirs pushes it out.
  const { emergency } = view;
  const loud = emergency ? [`*Emergency, begun without approval:* ${said(emergency.reason, 150)}`] : [];
  return [...loud, changeWords(view, (text) => said(text, LONGEST_STATE)), askedBy(view)].filter((line) => line !== '');
}

const LONGEST_STATE = 150;

/** The whole command and reason are in the thread. */
function askedBy({ requester, startedAt, reason, emergency }: OperationView): string {
  const who = person({ name: requester.name, ...(requester.slack ? { slackId: requester.slack.userId } : {}) });
  return `Asked by ${who}, ${clockTime(startedAt)}.${reason && !emergency ? ` Reason: ${said(reason, 150)}` : ''}`;
}

function numberLines(view: OperationView): readonly string[] {
  if (!view.live || view.phase === 'over') return [];
  const { counts, canaryShare, at, unseen, undoing } = view.live;
  const undone = undoing ? [`Rolling back: ${undoing.done} of ${undoing.of} pods are replaced again.`] : [];
  if (view.phase === 'restoring') return undone;
  const asked = presentStage(view)?.exposure;
  const { sides } = recordOf(view.verb).words;
  const set = asked === undefined ? '' : `${percent(asked)} set, `;
  const share = sides.share === undefined ? '' : `${sides.share}: ${set}${percent(canaryShare)} measured. `;
  return [
    `${capital(sides.changed)}: ${sideWords(counts[CHANGED], sides)}. ${capital(sides.rest)}: ${sideWords(counts[REST], sides)}.`,
    `${share}Seen until ${clockTime(at)}.`,
    ...undone,
    ...(unseen === undefined ? [] : [`Not seen: ${said(unseen, 150)}`]),
  ];
}

const AWAITED: Readonly<Record<NonNullable<OperationView['awaited']>['what'], string>> = {
  records: 'The database has not answered since',
  approvers: 'Slack has not said who may approve since',
  plan: 'The plan is not made: the database, the cluster or Slack has not answered since',
};

/** An outage that keeps the operation waiting. */
function awaited({ awaited: away, stages }: OperationView): readonly string[] {
  if (!away) return [];
  const exposed = stages.some(({ startedAt }) => startedAt !== undefined);
  const now = exposed ? 'What is in place stays and is watched.' : 'Nothing has changed.';
  return [`*Why:* ${AWAITED[away.what]} ${clockTime(away.since)}. ${now} It goes on when there is an answer.`];
}

function ended(view: OperationView, outcome: Outcome): readonly string[] {
  const counts = outcome.verdict?.counts ?? presentStage(view)?.counts;
  const told = recordOf(view.verb).countsInVerdict && outcome.verdict !== undefined && outcome.words.includes(outcome.verdict.words);
  return [
    said(withoutOdds(saidOnce(outcome)), 280),
    ...(outcome.now === undefined ? [] : [`*Now:* ${said(outcome.now, 250)}.`]),
    ...(counts && counts[CHANGED].requests > 0 && !told ? [countsWords(counts, view.verb)] : []),
    ...restored(outcome),
    askedBy(view),
  ];
}

/** The outcome's words without the sentence that its state says again. */
function saidOnce({ words, now }: Outcome): string {
  return now?.endsWith('exactly as before') ? words.replace(` ${EXACTLY_AS_BEFORE}`, '') : words;
}

/** The sentence people look for, unless the outcome's own words have said it. What was not rolled back exactly is in those words. */
function restored(outcome: Outcome): readonly string[] {
  const told = [outcome.words, outcome.now ?? ''].some((words) => /exactly as (it was )?before/.test(words));
  return outcome.restoredExactly && !told ? ['Everything is exactly as before.'] : [];
}

function footer(view: OperationView): KnownBlock {
  const plan = view.planHash ? `  ·  plan ${code(view.planHash.slice(0, 8))} in the thread` : '';
  return context(`${code(view.opId)}  ·  ${said(view.target.cluster, 60)}${plan}`);
}
