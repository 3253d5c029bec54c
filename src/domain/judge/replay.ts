import { createJudge } from './create.ts';
import type { Evidence } from './evidence.ts';
import type { JudgeSettings, Standing } from './judge.ts';
import type { Begin } from './record.ts';
import type { Counts, Verdict } from './verdict.ts';
import { oddsWords } from './words.ts';

/** One event and what it did. */
export interface Step {
  /** From 1. */
  readonly number: number;
  readonly event: Evidence;
  readonly counts: Counts;
  readonly standing: readonly Standing[];
  /** Present when the judge said something at this event. */
  readonly verdict?: Verdict;
}

/** The same judge, the same events, one at a time. After the verdict that stands nothing is heard any more. */
export class Replay {
  readonly #settings: JudgeSettings;
  readonly #judge;
  #number = 0;
  #latest: number;
  #stands = false;

  constructor({ settings, resumed }: Begin) {
    this.#settings = settings;
    this.#judge = createJudge(settings, resumed);
    this.#latest = settings.startedAt;
  }

  /** What had been heard before the record began. */
  get counts(): Counts {
    return this.#judge.counts;
  }

  /** Undefined once a verdict stands. */
  hear(event: Evidence): Step | undefined {
    if (this.#stands) return undefined;
    this.#number += 1;
    this.#latest = Math.max(this.#latest, event.at);
    const verdict = this.#judge.hear(event);
    this.#stands = verdict?.kind === 'harmful' || verdict?.kind === 'drift';
    const { counts } = this.#judge;
    return { number: this.#number, event, counts, standing: this.#judge.standing(), ...(verdict && { verdict }) };
  }

  /** The verdict that stands, or what is to be said at the end of the watch. */
  conclude(): Verdict {
    return this.#judge.conclude(Math.max(this.#latest, this.#settings.startedAt + this.#settings.durationMs));
  }
}

/** `#212 +20.310 s canary failed (500)`, then how far each judge is. */
export function stepWords({ number, event, standing, counts, verdict }: Step, startedAt: number): string {
  const time = `+${((event.at - startedAt) / 1_000).toFixed(3)} s`;
  const { canary, stable } = counts;
  const sums = `canary ${canary.failures}/${canary.requests}, elsewhere ${stable.failures}/${stable.requests}`;
  const line = `#${number} ${time} ${eventWords(event)} | ${sums} | ${standing.map(standingWords).join(', ')}`;
  return verdict ? `${line}\n    => ${verdict.kind}: ${verdict.words}` : line;
}

/** `objective 12 to 1 of 3,300` */
export function standingWords({ judge, evidence, needed }: Standing): string {
  const odds = evidence >= 10 ? oddsWords(Math.log(evidence)) : String(Number(evidence.toPrecision(2)));
  return `${judge} ${odds} to 1 of ${oddsWords(Math.log(needed))}`;
}

/** Nothing that moves a judge towards harm: such events are many, and may be shown as one line. */
export function isQuiet({ event, verdict }: Step): boolean {
  return verdict === undefined && (event.kind === 'tick' || event.kind === 'asked' || (event.kind === 'request' && !event.failed));
}

function eventWords(event: Evidence): string {
  switch (event.kind) {
    case 'request':
      return `${event.side} ${event.failed ? `failed (${event.failure ?? 'no reason given'})` : 'answered'} in ${Math.round(event.latencyMs)} ms`;
    case 'asked':
      return 'canary asked';
    case 'drop':
      return `${event.side} dropped ${event.source} to ${event.destination} port ${event.port} (${event.reason})`;
    case 'connection':
      return `${event.side} ${event.outcome}: ${event.example}`;
    case 'trouble':
      return event.words;
    case 'readiness':
      return `${event.service} has ${event.ready} ready endpoints`;
    case 'gap':
      return `${event.node} out of sight (${event.reason}${event.lost === undefined ? '' : `, ${event.lost} events lost`})`;
    case 'sight':
      return `${event.node} in sight again`;
    case 'drift':
      return `${event.manager} set ${event.field} of ${event.object} to ${event.found}`;
    case 'proof':
      return `changed nodes: ${event.proof.kind === 'proved' ? `proved (${event.proof.by})` : event.proof.words.join('; ')}`;
    case 'cohort':
      return `${event.left} of ${event.of} pods under the policy are left`;
    case 'before':
      return `what was before is told${event.unread.length === 0 ? '' : `, but not by ${event.unread.map(({ node }) => node).join(', ')}`}`;
    case 'tick':
      return 'time passed';
  }
}
