// The stages of an operation as lines of text: a mark and a word for each state, never a mark alone.
import type { OperationView, StageState, StageView } from '../domain/operation.ts';
import { VERB_RECORDS } from '../domain/verb.ts';
import type { SideWords } from '../domain/verb-record.ts';
import type { VerbName } from '../domain/verbs.ts';
import type { Counts } from '../domain/verdict.ts';
import { duration, fitLines, number, plural, rate, said } from '../domain/words.ts';

const STATES: Readonly<Record<StageState, { readonly mark: string; readonly word: string }>> = {
  pending: { mark: '○', word: 'to come' },
  applying: { mark: '◔', word: 'being applied' },
  watching: { mark: '▸', word: 'being watched' },
  passed: { mark: '✓', word: 'passed' },
  harmful: { mark: '✕', word: 'harmful' },
  held: { mark: '‖', word: 'held' },
  undone: { mark: '↩', word: 'put back' },
  skipped: { mark: '–', word: 'not reached' },
};

/** One line for each stage, lowest first. */
export function ladder({ stages, verb }: Pick<OperationView, 'stages' | 'verb'>, now: number): string {
  return fitLines(stages.map((stage) => rung(stage, VERB_RECORDS[verb].words.sides, now)));
}

function rung(stage: StageView, words: SideWords, now: number): string {
  const { mark, word } = STATES[stage.state];
  const parts = [`${mark}  *${said(stage.label, 80)}*  ${word}`];
  const took = timeOf(stage, now);
  if (took !== undefined) parts.push(took);
  if (stage.counts && stage.counts.canary.requests > 0) parts.push(sideWords(stage.counts.canary, words));
  return parts.join(' · ');
}

function timeOf(stage: StageView, now: number): string | undefined {
  if (stage.startedAt === undefined) return undefined;
  if (stage.endedAt !== undefined) return duration(stage.endedAt - stage.startedAt);
  return stage.state === 'watching' || stage.state === 'held' ? `for ${duration(now - stage.startedAt)}` : undefined;
}

type Side = Counts['canary'];

/** `1,204 requests, 1 failed (0.08%)`, or with `of` `1,204 requests to the canary, …`, in the words of the operation's verb. */
export function sideWords(side: Side, { unit, bad }: SideWords, of?: string): string {
  const failed = side.failures === 0 ? 'none' : number(side.failures);
  const own = side.synthetic ? `, ${number(side.synthetic)} of them synthetic` : '';
  return `${plural(side.requests, unit)}${of ? ` ${of}` : ''}${own}, ${failed} ${bad} (${rate(side.failures, side.requests)})`;
}

/** Both sides in one sentence. */
export function countsWords(counts: Counts, verb: VerbName): string {
  const { sides } = VERB_RECORDS[verb].words;
  return `${sideWords(counts.canary, sides, sides.ofChanged)}; ${sideWords(counts.stable, sides, sides.ofRest)}.`;
}

/** The stage that is in force or being put in force: the last one that has begun. */
export function presentStage(view: OperationView): StageView | undefined {
  return view.stages.findLast((stage) => stage.state !== 'pending' && stage.state !== 'skipped');
}

/** The stage that comes next, if there is one. */
export function nextStage(view: OperationView): StageView | undefined {
  return view.stages.find((stage) => stage.state === 'pending');
}
