// The steps of an operation as lines of text: a mark and a word for each state, never a mark alone.

import { CHANGED, type Counts, REST, type SideCounts } from '../domain/judge/verdict.ts';
import type { VerbName } from '../domain/lifecycle/change.ts';
import type { OperationView, StageState, StageView } from '../domain/lifecycle/operation.ts';
import { recordOf } from '../domain/verb.ts';
import type { SideWords } from '../domain/verb-record.ts';
import { clockTime, duration, number, plural, rate, said } from '../domain/words/words.ts';

const STATES: Readonly<Record<StageState, { readonly mark: string; readonly word: string }>> = {
  pending: { mark: '○', word: 'next' },
  applying: { mark: '◔', word: 'applying' },
  watching: { mark: '▸', word: 'watching' },
  passed: { mark: '✓', word: 'passed' },
  harmful: { mark: '✕', word: 'failed' },
  held: { mark: '‖', word: 'held' },
  undone: { mark: '↩', word: 'rolled back' },
  skipped: { mark: '–', word: 'not reached' },
};
/** Steps named in one line of several. */
const MOST_NAMED = 4;

/**
 * The steps, lowest first, in at most six lines: those that have passed before the last one, those that follow, and those that were not reached, stand in
 * one line each. None where there is one step that has not begun: the change itself says it.
 */
export function steps({ stages, verb, watchUntil }: Pick<OperationView, 'stages' | 'verb' | 'watchUntil'>): readonly string[] {
  const [only] = stages;
  if (only?.state === 'pending' && stages.length === 1) return [];
  const { sides } = recordOf(verb).words;
  const last = stages.findLast(({ state }) => state === 'passed');
  const lines: string[] = [];
  for (let from = 0; from < stages.length; ) {
    const { state } = stages[from] as StageView;
    const own = state === 'applying' || state === 'watching' || state === 'held' || state === 'harmful';
    let to = from + 1;
    while (!own && to < stages.length && stages[to]?.state === state && stages[to] !== last && stages[from] !== last) to += 1;
    lines.push(to - from > 1 ? several(stages.slice(from, to), state) : single(stages[from] as StageView, sides, watchUntil));
    from = to;
  }
  return lines;
}

function several(stages: readonly StageView[], state: StageState): string {
  const { mark, word } = STATES[state];
  const named = stages.length <= MOST_NAMED ? stages : stages.slice(0, MOST_NAMED - 1);
  const more = stages.length > named.length ? ` and ${stages.length - named.length} more` : '';
  return `${mark}  *${said(named.map(({ label }) => label).join(', '), 200)}*${more} ${word}`;
}

function single(stage: StageView, words: SideWords, watchUntil: number | undefined): string {
  const { mark, word } = STATES[stage.state];
  const until = stage.state === 'watching' && watchUntil !== undefined ? ` until ${clockTime(watchUntil)}` : '';
  const parts = [`${mark}  *${said(stage.label, 80)}* ${word}${until}`];
  if (stage.startedAt !== undefined && stage.endedAt !== undefined) parts.push(duration(stage.endedAt - stage.startedAt));
  if (stage.counts && stage.counts[CHANGED].requests > 0) parts.push(sideWords(stage.counts[CHANGED], words));
  return parts.join(' · ');
}

/** `1,204 requests, 1 failed (0.08%)`, or with `of` `1,204 requests to the canary, …`, in the words of the operation's verb. */
export function sideWords(side: SideCounts, { unit, bad }: SideWords, of?: string): string {
  const own = side.synthetic ? `, ${number(side.synthetic)} of them synthetic` : '';
  return `${plural(side.requests, unit)}${of ? ` ${of}` : ''}${own}, ${number(side.failures)} ${bad}${rate(side.failures, side.requests)}`;
}

/** Both sides in one sentence. */
export function countsWords(counts: Counts, verb: VerbName): string {
  const { sides } = recordOf(verb).words;
  return `${sideWords(counts[CHANGED], sides, sides.ofChanged)}; ${sideWords(counts[REST], sides, sides.ofRest)}.`;
}

/** The stage that is in force or being put in force: the last one that has begun. */
export function presentStage(view: OperationView): StageView | undefined {
  return view.stages.findLast((stage) => stage.state !== 'pending' && stage.state !== 'skipped');
}

/** The stage that comes next, if there is one. */
export function nextStage(view: OperationView): StageView | undefined {
  return view.stages.find((stage) => stage.state === 'pending');
}
