import type { Happening } from './step.ts';

/** Is the cluster frozen, by what people were told? */
export class FreezeTruth {
  #until = 0;
  /** Since when one holds without a gap (epoch ms). */
  #since = 0;

  /** The answer to a command. */
  heard(what: Happening, answer: string, now: number): void {
    // What is delivered once more is answered with what was so before.
    if (answer.includes('was handled before')) return;
    if (answer.includes('is frozen until')) {
      if (!this.holds(now)) this.#since = now;
      this.#until = now + freezeMs(what);
    }
    if (answer.includes('ended early')) this.#until = 0;
  }

  holds(now: number): boolean {
    return now < this.#until;
  }

  /** For how long it has held (ms). */
  heldFor(now: number): number {
    return this.holds(now) ? now - this.#since : 0;
  }
}

function freezeMs(what: Happening): number {
  const [, count, unit] = (what.do === 'command' && /^freeze \S+ (\d+)([mh])/.exec(what.text)) || [];
  return Number(count ?? 0) * (unit === 'h' ? 3_600_000 : 60_000);
}
