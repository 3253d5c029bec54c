import { number } from '../words/words.ts';
import type { DropEvidence } from './evidence.ts';

/** Causes told apart; what comes beyond is harm enough to look at by other means. */
const MOST = 64;
const TOLD = 3;

/**
 * Drops that are nobody's failed request, counted for people: a pod that is denied some peer, a scraper, a scan. They come per pod and not per
 * request, so no share of requests says how many are the canary's by chance, and with a handful of pods no test over pods can either.
 */
export class Drops {
  /** By cause: how often around the canary, and elsewhere. */
  readonly #counts: Map<string, { canary: number; stable: number }>;

  constructor(from: readonly (readonly [string, number, number])[] = []) {
    this.#counts = new Map(from.map(([cause, canary, stable]) => [cause, { canary, stable }]));
  }

  add({ side, peer, source, destination, port, reason }: DropEvidence): void {
    const end = peer ?? (source === '' ? destination : source);
    const cause = `${end}${port === 0 ? '' : ` port ${port}`} (${reason})`;
    const counted = this.#counts.get(cause) ?? { canary: 0, stable: 0 };
    if (!this.#counts.has(cause) && this.#counts.size >= MOST) return;
    counted[side] += 1;
    this.#counts.set(cause, counted);
  }

  /** ` Not judged: dropped around the canary with 203.0.113.9 port 443 (POLICY_DENIED) 4 times, and 9 times elsewhere.`; empty without any. */
  words(): string {
    const around = [...this.#counts].filter(([, { canary }]) => canary > 0).toSorted(([, a], [, b]) => b.canary - a.canary);
    const causes = around.slice(0, TOLD).map(([cause, { canary, stable }]) => {
      return `with ${cause} ${times(canary)}, ${times(stable)} elsewhere`;
    });
    return causes.length === 0 ? '' : ` Packets that were dropped around the canary beside its requests, not judged: ${causes.join('; ')}.`;
  }

  snapshot(): readonly (readonly [string, number, number])[] {
    return [...this.#counts].map(([cause, { canary, stable }]) => [cause, canary, stable] as const);
  }
}

function times(count: number): string {
  return count === 1 ? 'once' : `${number(count)} times`;
}
