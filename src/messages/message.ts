// The one root message of an operation: what people read while a change runs. Pure.

import type { KnownBlock, MessageMetadata } from '@slack/types';
import { CHANGED, REST } from '../domain/judge/verdict.ts';
import type { OperationView, Outcome } from '../domain/lifecycle/operation.ts';
import { formatTarget, isClusterWide } from '../domain/target.ts';
import { recordOf } from '../domain/verb.ts';
import { capital, clockTime, code, codeBlocks, cut, fitLines, moment, percent, person, said } from '../domain/words/words.ts';
import { acceptedLines } from './accepted.ts';
import { buttonRow } from './buttons.ts';
import { heldLines } from './held.ts';
import { countsWords, presentStage, sideWords, steps } from './ladder.ts';
import { nextLines, stateWords } from './next-action.ts';
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
 * Renders an operation as its root message: what changes, how far it is, the numbers, and what is next. `now` in epoch ms: of the note when it was brought
 * up to date.
 */
export function renderRoot(view: OperationView, now: number): RenderedMessage {
  const held = heldLines(view);
  const next = nextLines(view);
  const rungs = steps(view);
  const blocks = [
    header(headline(view)),
    section(fitLines(view.outcome ? ended(view, view.outcome) : change(view))),
    ...explanation(view),
    ...(rungs.length > 0 ? [section(fitLines(rungs))] : []),
    ...live(view),
    ...(held.length > 0 ? [section(fitLines(held))] : []),
    ...acceptedLines(view).map((lines) => section(fitLines(lines))),
    ...awaited(view),
    ...undoFailing(view),
    ...(next.length > 0 ? [section(fitLines(next))] : []),
    ...[buttonRow(view)].filter((row) => row !== undefined),
    footer(view, now),
  ];
  return {
    text: summary(view),
    blocks,
    metadata: { event_type: ROOT_EVENT, event_payload: { op_id: view.opId, version: versionOf(view) } },
  };
}

/** A headline has at most so many characters: it is one line on a telephone. */
const LONGEST_HEADLINE = 60;
const SHORTEST_NAME = 11;

/** What it is and how it stands: the header of its message, and its line wherever it is listed. Plain text; a long name loses its middle. */
export function headline(view: OperationView): string {
  const [verb, state] = [capital(view.verb), stateWords(view)];
  const room = Math.max(SHORTEST_NAME, LONGEST_HEADLINE - verb.length - state.length - 3);
  return `${verb} ${shortened(placeOf(view), room)}: ${state}`;
}

function shortened(name: string, room: number): string {
  if (name.length <= room) return name;
  const kept = room - 1;
  return `${name.slice(0, Math.ceil(kept / 2))}…${name.slice(name.length - Math.floor(kept / 2))}`;
}

/** In its channel the cluster goes without saying, unless it is what is changed. */
function placeOf({ target }: Pick<OperationView, 'target'>): string {
  return isClusterWide(target) ? target.cluster : `${target.namespace}/${target.name}`;
}

/** `Canary backend/backend`: what people call an operation. Plain text. */
export function subjectOf(view: Pick<OperationView, 'verb' | 'target'>): string {
  return `${capital(view.verb)} ${placeOf(view)}`;
}

/** A notification has at most so many characters. */
const LONGEST_SUMMARY = 200;

/** One line for notifications: the headline and the first sentence below it. Names, not mentions: an edit must not call people again. */
export function summary(view: OperationView): string {
  const { outcome } = view;
  const now = outcome?.now === undefined ? '' : ` Now: ${outcome.now}.`;
  const line = headline(view);
  // How it is now is worth more than how it came to that: the first sentence says enough.
  const why = outcome && (now === '' ? outcome.words : (outcome.words.split(/(?<=\.)\s/)[0] ?? ''));
  const words =
    why === undefined ? changeWords(view, (text) => text) : cut(why, Math.max(20, LONGEST_SUMMARY - line.length - now.length - 2));
  return said(`${line}.${words === '' ? '' : ` ${words}`}${now}`, LONGEST_SUMMARY);
}

/** Slack's limit for one section. */
const SECTION_CHARS = 3_000;

export function section(text: string): KnownBlock {
  const cut = text.length > SECTION_CHARS ? `${text.slice(0, SECTION_CHARS - 1)}…` : text;
  return { type: 'section', text: { type: 'mrkdwn', text: cut || ' ', verbatim: true } };
}

function header(text: string): KnownBlock {
  return { type: 'header', text: { type: 'plain_text', text: cut(text, 140), emoji: false } };
}

function context(text: string): KnownBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}

/** From what it is to what it becomes; empty while nobody knows. `shown`: how each of the two is written. */
function changeWords({ from, to }: OperationView, shown: (text: string) => string): string {
  return from && to ? `${shown(from)} → ${shown(to)}.` : shown(to ?? from ?? '');
}

function change(view: OperationView): readonly string[] {
  // What changes comes before what a person wrote: no text of theirs pushes it out.
  return [changeWords(view, said), askedBy(view)].filter((line) => line !== '');
}

function askedBy({ requester, startedAt, reason, text }: OperationView): string {
  const who = person({ name: requester.name, ...(requester.slack ? { slackId: requester.slack.userId } : {}) });
  return `Asked by ${who}, ${clockTime(startedAt)}: ${code(text)}${reason ? `. Reason: ${said(reason, 400)}` : ''}`;
}

/** The plan, while people decide about it: then it stands where they were asked. Where nobody was, it stays here. */
function explanation({ explanation: lines, watched, phase, answered }: OperationView): KnownBlock[] {
  if (phase === 'over' || (answered && phase !== 'planning' && phase !== 'waiting')) return [];
  return [
    ...(lines.length > 0 ? [section(fitLines(lines.map((line) => `•  ${said(line, 500)}`)))] : []),
    ...(watched.length > 0 ? [context(`Watched: ${said(watched.join('; '), 500)}`)] : []),
  ];
}

function live(view: OperationView): KnownBlock[] {
  if (!view.live || view.phase === 'over') return [];
  const { counts, canaryShare, at, unseen, undoing } = view.live;
  const undone = undoing ? [context(`Rolling back: ${undoing.done} of ${undoing.of} pods are replaced again.`)] : [];
  if (view.phase === 'restoring') return undone;
  const asked = presentStage(view)?.exposure;
  const { sides } = recordOf(view.verb).words;
  const field = (text: string): { type: 'mrkdwn'; text: string; verbatim: true } => ({ type: 'mrkdwn', text, verbatim: true });
  return [
    {
      type: 'section',
      fields: [
        field(`*${capital(sides.changed)}*\n${sideWords(counts[CHANGED], sides)}`),
        field(`*${capital(sides.rest)}*\n${sideWords(counts[REST], sides)}`),
        field(`*Share*\n${percent(canaryShare)} measured${asked === undefined ? '' : `, ${percent(asked)} asked`}`),
        field(`*Seen*\nuntil ${clockTime(at)}`),
      ],
    },
    ...undone,
    ...(unseen === undefined ? [] : [context(`Not seen: ${said(unseen, 300)}`)]),
  ];
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

function undoFailing(view: OperationView): KnownBlock[] {
  if (!view.undoFailing) return [];
  const { since, reason, commands } = view.undoFailing;
  return [
    section(`*The change is still in place.* The rollback has been failing since ${clockTime(since)}: ${said(reason, 500)}`),
    ...(view.releases?.length
      ? [section(`*Release:* ${view.releases.map(({ by, at }) => `${person(by)} ${clockTime(at)}`).join(', ')}. Two people are needed.`)]
      : []),
    ...(commands.length > 0
      ? [section('It goes on trying. By hand, with rights on the cluster:'), ...codeBlocks(commands).map(section)]
      : []),
  ];
}

function ended(view: OperationView, outcome: Outcome): readonly string[] {
  const counts = outcome.verdict?.counts ?? presentStage(view)?.counts;
  const told = recordOf(view.verb).countsInVerdict && outcome.verdict !== undefined && outcome.words.includes(outcome.verdict.words);
  return [
    said(outcome.words, 500),
    ...(outcome.now === undefined ? [] : [`*Now:* ${said(outcome.now, 500)}.`]),
    ...(counts && counts[CHANGED].requests > 0 && !told ? [countsWords(counts, view.verb)] : []),
    ...restored(outcome),
    askedBy(view),
  ];
}

/** The sentence people look for, unless the outcome's own words have said it. What was not put back exactly stands in those words. */
function restored(outcome: Outcome): readonly string[] {
  const told = [outcome.words, outcome.now ?? ''].some((words) => /exactly as (it was )?before/.test(words));
  return outcome.restoredExactly && !told ? ['Read back and compared: the mesh is exactly as before.'] : [];
}

function footer(view: OperationView, now: number): KnownBlock {
  const plan = view.planHash ? `  ·  plan ${code(view.planHash.slice(0, 12))}` : '';
  return context(`Operation ${code(view.opId)}  ·  ${said(formatTarget(view.target))}${plan}  ·  updated ${moment(now)}`);
}
