import { number, percent } from '../words/words.ts';
import type { JudgeSettings, Statistical } from './judge.ts';
import type { Terms } from './terms.ts';
import type { Total } from './total.ts';
import type { Counts } from './verdict.ts';
import { countWords, oddsWords, shareWords } from './words.ts';

const CLEARLY = 5;

export interface Harm {
  readonly judge: Statistical;
  readonly firstHarmAt: number | undefined;
  readonly total: Total;
  readonly terms: Terms;
  readonly counts: Counts;
  /** Of the watches before this one. */
  readonly earlier: Counts | undefined;
  /** What the control did since then. */
  readonly others: Counts['stable'];
  readonly settings: JudgeSettings;
}

/** Why the canary is harmful: the counts, what they are held against, what they rest on. */
export function harmWords(harm: Harm): string {
  const { counts, total, terms } = harm;
  const odds = `evidence ${oddsWords(Math.log(total.value()))} to 1, needed ${oddsWords(Math.log(terms.needed))}`;
  return `${countWords(counts)}. ${reasonWords(harm)} (${odds}).${othersWords(harm)}${earlierWords(harm)}`;
}

function reasonWords({ judge, total, terms, settings }: Harm): string {
  if (judge === 'relative') return 'That is worse than what its control does in the same requests';
  if (judge === 'objective') return `That is more than the ${percent(terms.objective ?? settings.objective)} allowed`;
  const { requests, due } = total.silence;
  return `It no longer answers its share: none of the last ${number(requests)} answers came from it, where about ${number(due)} were due`;
}

/** The objective knows of no control: an outage of everybody breaks it too. */
function othersWords({ judge, others, settings }: Harm): string {
  const { requests, failures } = others;
  // More than chance makes of others that keep the objective.
  const isShared = judge === 'objective' && failures >= 2 && failures > CLEARLY * settings.objective * requests;
  return isShared ? ` The others fail, too: in the same time ${shareWords(others)}.` : '';
}

/** Evidence goes on from watch to watch, so it may rest on what an earlier one has seen. */
function earlierWords({ firstHarmAt, total, earlier, counts, settings: { startedAt, stage } }: Harm): string {
  if (firstHarmAt === undefined || firstHarmAt >= startedAt || !earlier) return '';
  const before = total.stageAt(firstHarmAt);
  const where = before === undefined || before === stage ? 'in an earlier watch of this stage' : `in stage ${before}`;
  const [requests, failures] = [earlier.canary.requests + counts.canary.requests, earlier.canary.failures + counts.canary.failures];
  return ` It began ${where}: over all stages ${shareWords({ requests, failures })}.`;
}

export function budgetWords(counts: Counts, budget: number, objective: number): string {
  return `${countWords(counts)}. That is more than ${budget} failures above the ${percent(objective)} allowed, which was the budget.`;
}

export function readinessWords(service: string, counts: Counts): string {
  return `${service} has no ready endpoint left, so every request sent to it fails. ${countWords(counts)}.`;
}
