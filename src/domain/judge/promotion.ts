import { number, percent } from '../words/words.ts';
import { logProof, lowerBound, requestsNeeded, upperBound } from './bound.ts';
import type { JudgeSettings } from './judge.ts';
import type { Silence } from './silence.ts';
import type { Terms } from './terms.ts';
import type { Counts, Verdict } from './verdict.ts';
import { boundWords, countWords } from './words.ts';

/** In `relative` mode a canary may show this many times its control's share: equal ones differ by chance half of the time. */
const RELATIVE_ROOM = 1.5;

/**
 * What a watch that saw everything and found no harm is worth: healthy, or no-traffic (more requests would tell; how many), or blind
 * (failures above the limit that prove nothing). `silence`: how long the canary has been unusually silent at the end.
 */
export function promote(settings: JudgeSettings, terms: Terms, counts: Counts, silence: ReturnType<Silence['at']>): Verdict {
  const { exposure, promotion = { kind: 'counts' } } = settings;
  const { requests, failures } = counts.canary;
  const needed = exposure === 0 ? 0 : settings.minRequests;
  if (requests < needed) {
    const words = `${countWords(counts)}. That is too little to tell: ${needed} requests are needed.`;
    return { kind: 'no-traffic', counts, needed, words };
  }
  if (silence && exposure !== 0) {
    const due = `where about ${number(Math.round(silence.due))} were due`;
    const words = `${countWords(counts)}. But nothing was heard of the canary in the last ${Math.round(silence.ms / 1_000)} s, ${due}: how it is now is not known.`;
    return { kind: 'no-traffic', counts, needed: Math.round(silence.due), words };
  }
  if (terms.objective === undefined && !terms.control) {
    const words = `${countWords(counts)}. The canary was to be held to its control, and there is none left. Watch longer at a lower share, or give an objective.`;
    return { kind: 'blind', counts, reason: 'no control', words };
  }
  const limit = limitOf(settings, terms, counts);
  // Whole failures: at 60 requests a 1% objective allows 0.6 of one, and a canary at half of it would be held every fourth time for one.
  if (failures > Math.round(limit * requests)) return undecided(counts, limit);
  const bound = requests === 0 ? '' : `; ${boundWords(counts)}`;
  const within =
    failures <= limit * requests
      ? `No harm was found: that is within the ${percent(limit)} allowed`
      : `No harm was found: in so few requests that is no more than the ${percent(limit)} allowed`;
  const healthy: Verdict = { kind: 'healthy', counts, words: `${countWords(counts)}. ${within}${bound}.` };
  if (promotion.kind === 'counts' || exposure === 0) return healthy;
  const proved = provedLimit(settings, terms, counts, promotion.level);
  const level = terms.objective === undefined || settings.slo === 'relative' ? promotion.level / 2 : promotion.level;
  return logProof(failures, requests, proved) >= -Math.log(level) ? healthy : unproved(counts, proved, level);
}

/** There was traffic and it was seen, yet it proves nothing either way: the evidence is incomplete, so people choose. */
function undecided(counts: Counts, limit: number): Verdict {
  const words = `${countWords(counts)}. That is above the ${percent(limit)} allowed, but too little to prove harm. Watch longer, or roll back.`;
  return { kind: 'blind', counts, reason: 'undecided', words };
}

function unproved(counts: Counts, limit: number, level: number): Verdict {
  const { requests, failures } = counts.canary;
  const needed = requestsNeeded(failures, requests, limit, level);
  const atMost = percent(upperBound(failures, requests, level));
  const more =
    needed === undefined
      ? 'At this failure share no number of requests would prove it: accept a higher objective, or roll back'
      : `It needs about ${number(needed - requests)} more requests like these`;
  const words = `${countWords(counts)}. That is within the ${percent(limit)} allowed, but not yet proved: on the whole its share may be up to ${atMost}. ${more}.`;
  return { kind: 'no-traffic', counts, needed: needed ?? requests, words };
}

/** Failure share that the counts may show. */
function limitOf(settings: JudgeSettings, terms: Terms, { stable }: Counts): number {
  if (settings.slo !== 'relative') return settings.objective;
  if (!terms.control) return terms.objective ?? settings.objective;
  return Math.max(settings.objective, stable.requests === 0 ? 0 : (RELATIVE_ROOM * stable.failures) / stable.requests);
}

/** Failure share that the bound must stay below: against a control its lower bound, each side spending half of the level. */
function provedLimit(settings: JudgeSettings, terms: Terms, { stable }: Counts, level: number): number {
  if (settings.slo !== 'relative') return settings.objective;
  if (!terms.control) return terms.objective ?? settings.objective;
  return Math.max(settings.objective, Math.min(0.9, RELATIVE_ROOM * lowerBound(stable.failures, stable.requests, level / 2)));
}
