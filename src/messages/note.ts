// What is said in an operation's thread: one reply for each thing that people want to look up later. Pure.

import type { KnownBlock } from '@slack/types';
import type { Harmful, Verdict } from '../domain/judge/verdict.ts';
import type { Note, RestoreResult } from '../domain/lifecycle/contract.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { type Ending, OUTCOME_WORDS } from '../domain/lifecycle/outcome.ts';
import { shortNameOf } from '../domain/target.ts';
import { recordOf } from '../domain/verb.ts';
import { clockTime, code, codeBlocks, duration, fitLines, frozenWords, person, plural, said } from '../domain/words/words.ts';
import { buttonRow } from './buttons.ts';
import { driftLines, selfHealOf, selfHealWords } from './drift.ts';
import { subjectOf } from './headline.ts';
import { countsWords } from './ladder.ts';
import { section, summary } from './message.ts';
import { planLines } from './question.ts';

/** Renders one note: `text` for notifications, `blocks` with the numbers. `onCall`: the usergroup that an undo that keeps failing calls. */
export function renderNote(note: Note, view: OperationView, onCall?: string): { readonly text: string; readonly blocks: KnownBlock[] } {
  const [first = '', ...details] = linesOf(note, view);
  const calls = note.kind === 'undo-failing' || note.kind === 'lost' || note.kind === 'emergency';
  const headline = calls && onCall ? `<!subteam^${onCall}> ${first}` : first;
  const blocks = [section(fitLines([headline, ...details]))];
  if (note.kind === 'undo-failing') blocks.push(...codeBlocks(note.commands).map(section));
  const buttons = note.kind === 'lost' ? buttonRow(view) : undefined;
  if (buttons) blocks.push(buttons);
  return { text: headline, blocks };
}

function linesOf(note: Note, view: OperationView): readonly string[] {
  switch (note.kind) {
    case 'plan':
      return planLines(view);
    case 'plan-changed':
      return [
        '*The plan changed before it was applied.* Approvals no longer count. Approve the new plan.',
        ...note.differences.map((one) => `•  ${said(one, 400)}`),
      ];
    case 'approved':
      return [
        `${person(note.by)} approved. ${note.remaining > 0 ? `${plural(note.remaining, 'more approval')} needed.` : 'Continuing now.'}`,
      ];
    case 'verdict':
      return [
        `${verdictWord(note.verdict)} at ${said(note.stage, 80)}: ${said(note.verdict.words, 400)}`,
        ...numbers(note.verdict, view),
        ...(note.verdict.kind === 'doubtful'
          ? note.verdict.doubts.map(({ words, key }) => `•  ${said(words, 300)}; key ${code(key)}`)
          : []),
      ];
    case 'drift':
      return drifted(note);
    case 'unready':
      return [
        `The rollback of ${code(view.opId)} waits. ${said(note.words, 300)}`,
        'What is in place stays and is watched. It is rolled back as soon as there is a ready endpoint.',
        'To have it now, press *Roll back anyway* or give the command again.',
      ];
    case 'frozen':
      return [`${requester(view)} ${said(note.stage, 80)} waits: ${frozenWords(note.freeze)} What is in place stays, and is watched.`];
    case 'still-failing':
      return [
        `*Rolled back, still failing:* ${said(note.verdict.words, 400)}`,
        recordOf(view.verb).words.goesOn[note.hasShare ? 'withShare' : 'without'],
        ...numbers(note.verdict, view),
      ];
    case 'fuse':
      return [
        `${requester(view)} *${said(subjectOf(view), 150)}${note.restore.kind === 'restored' ? ' is rolled back' : ' fails'}:* ${said(note.verdict.words, 400)}`,
        `${FIRST[note.verdict.judge]} ${clockTime(note.verdict.firstHarmAt)}, decided ${lagWords(note.verdict.decidedAt - note.verdict.firstHarmAt)}, ${restoreWords(note.restore)}`,
        ...numbers(note.verdict, view),
        ...objects(note.restore),
      ];
    case 'undo-failing':
      return [
        `*The rollback of ${said(subjectOf(view), 150)} fails. The change is still in place.* It is repeated until it succeeds.`,
        `The API server said: ${said(note.reason, 400)}`,
        `Two approvers can end it with ${code(`/mesh release ${view.opId}`)}.`,
        ...(note.commands.length > 0 ? ['To roll it back with kubectl, with rights on the cluster:'] : []),
      ];
    case 'lost':
      return [
        `*Nobody watches a change on ${said(shortNameOf(view.target), 80)}.* ${code(view.opId)} wrote it at ${clockTime(note.wroteAt)}; its run was ${note.how} without an outcome.`,
        [note.label && `*Now:* ${said(note.label, 80)} is in place.`, note.before && `Before: ${said(note.before, 200)}.`]
          .filter(Boolean)
          .join(' '),
        `Roll it back with the button, or with ${code(`/mesh abort ${view.opId}`)}; an approver can keep it. Until then it is not watched.`,
      ];
    case 'declined':
      return [`The next step was declined (${declined(note.ending)}). What is in place stays.`];
    case 'no-longer':
      return [
        `${note.people
          .slice(0, 5)
          .map((name) => said(name, 80))
          .join(', ')} may no longer decide here, so that decision does not count. The question is open again.`,
      ];
    case 'emergency':
      return [
        `*Emergency: ${said(subjectOf(view), 150)} begins without approval.* ${said(view.requester.name, 80)} says: "${said(note.reason, 200)}"`,
        `It is watched all the same. Two others review it afterwards: in the app's Home, or ${code(`/mesh review ${view.opId}`)}.`,
      ];
    case 'attachment':
      return [said(note.attachment.comment, 1_000)];
    case 'outcome':
      return [summary(view)];
    default:
      return note satisfies never;
  }
}

function lagWords(ms: number): string {
  return ms < 100 ? 'at once' : `${duration(ms)} later`;
}

/** Whoever asked for the change is called: it is theirs that waits. */
function requester({ requester: { name, slack } }: OperationView): string {
  return person({ name, ...(slack && { slackId: slack.userId }) });
}

function drifted({ stage, inspection: { differences } }: Extract<Note, { kind: 'drift' }>): readonly string[] {
  const tool = selfHealOf(differences);
  const what = tool ? `Held at ${said(stage, 80)}. ${selfHealWords(tool)}` : `Someone else changed the objects at ${said(stage, 80)}.`;
  return [`${what} Nothing more is written until people choose: keep theirs, write ours, or stop.`, ...driftLines(differences)];
}

function declined(ending: Ending): string {
  const who = ending.by ? ` by ${said(ending.by.name, 80)}` : '';
  return `${OUTCOME_WORDS[ending.kind]}${who}${ending.reason ? `: ${said(ending.reason, 400)}` : ''}`;
}

/** What was first seen: only requests fail. */
const FIRST: Readonly<Record<Harmful['judge'], string>> = {
  objective: 'First failure',
  relative: 'First failure',
  budget: 'First failure',
  silence: 'Last heard',
  drops: 'First drop',
  readiness: 'No ready endpoint since',
  earlier: 'Failures seen by an earlier attempt',
};

const VERDICTS: Readonly<Record<Verdict['kind'], string>> = {
  healthy: 'Healthy',
  harmful: 'Failing',
  'no-traffic': 'Not enough traffic',
  blind: 'Cannot see everything',
  drift: 'Someone else changed the object',
  doubtful: 'Something is dropped, perhaps as intended',
};

function verdictWord(verdict: Verdict): string {
  return verdict.kind === 'drift' && verdict.tool ? `${verdict.tool} wrote Git's values back` : VERDICTS[verdict.kind];
}

/** What the verdict's own words leave out. */
function numbers({ counts }: Verdict, { verb }: OperationView): readonly string[] {
  return recordOf(verb).countsInVerdict ? [] : [countsWords(counts, verb)];
}

function restoreWords(restore: RestoreResult): string {
  if (restore.kind === 'superseded') {
    return `not rolled back: ${said(restore.object.name, 120)} is held by ${restore.token === null ? 'nobody' : said(restore.token, 120)} now, and was not touched.`;
  }
  return restore.exact
    ? `rolled back ${clockTime(restore.at)}, exactly as before.`
    : `rolled back ${clockTime(restore.at)}, but not everything is as before:`;
}

function objects(restore: RestoreResult): readonly string[] {
  if (restore.kind === 'superseded' || restore.exact) return [];
  return restore.objects
    .filter((one) => one.state !== 'restored' && one.state !== 'unchanged')
    .map((one) => {
      const name = said(`${one.object.kind} ${one.object.namespace}/${one.object.name}`, 200);
      if (one.state === 'gone') return `•  ${name} was deleted or replaced by someone else and was not made again.`;
      const fields = (one.differences ?? []).slice(0, 5).map((difference) => said(difference.field, 120));
      return `•  ${name} was also changed by someone else${fields.length > 0 ? ` (${fields.join(', ')})` : ''}; only our own values were rolled back.`;
    });
}
