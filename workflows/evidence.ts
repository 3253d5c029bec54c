import type { JsonObject } from '../src/domain/json.ts';
import { alphaFor } from '../src/domain/judge/alpha.ts';
import type { WatchInput, WatchResult } from '../src/domain/lifecycle/contract.ts';
import type { Plan } from '../src/domain/lifecycle/plan.ts';
import type { OperationSettings } from '../src/domain/lifecycle/settings.ts';

type Evidence = NonNullable<WatchInput['evidence']>;

/**
 * The evidence of an operation on its way from watch to watch. Each goes on from what the one before has left: to go back to what was known before
 * some watch would give chance a second try.
 */
export class CarriedEvidence {
  #carried: JsonObject | undefined;
  #planned: Evidence['planned'] | undefined;
  #watches = 0;
  /** The last watch has not said what it leaves. */
  #isOpen = false;

  /** What the next watch begins with. */
  next(plan: Plan, settings: OperationSettings): Evidence {
    this.#planned ??= plannedOf(plan, settings);
    if (this.#isOpen) this.#lose();
    this.#watches += 1;
    this.#isOpen = true;
    const carried = this.#carried;
    return { watch: this.#watches, planned: this.#planned, ...(carried && { carried }) };
  }

  /** Bound for the next watch. Watches of an earlier version leave nothing to go on from: each of them had a part of its own. */
  alpha(alpha: number): number {
    return this.#watches <= 1 || this.#carried ? alpha : alphaFor(alpha, this.#watches);
  }

  /** Keeps what the watch leaves. One that fails, or that is not waited for, takes with it what it had heard, which is then unknown. */
  async after(watching: Promise<WatchResult>): Promise<WatchResult> {
    const number = this.#watches;
    try {
      const result = await watching;
      this.#leave(number, result.carried);
      return result;
    } catch (error) {
      this.#leave(number, undefined, true);
      throw error;
    }
  }

  #leave(number: number, carried: JsonObject | undefined, failed = false): void {
    // A later watch has begun without it.
    if (number !== this.#watches) return;
    this.#isOpen = false;
    if (carried) this.#carried = carried;
    else if (failed || this.#carried) this.#lose();
  }

  #lose(): void {
    this.#carried = { version: 2, ...this.#carried, lost: true };
  }
}

function plannedOf({ stages }: Plan, { soakMs, afterwatchMs }: OperationSettings): Evidence['planned'] {
  const soaks = stages.map((stage) => stage.soakMs ?? soakMs).filter((ms) => ms > 0);
  const watches = soaks.length + (afterwatchMs > 0 ? 1 : 0);
  const ms = soaks.reduce((sum, soak) => sum + soak, afterwatchMs);
  return { watches: Math.max(1, watches), ms: Math.max(1, ms) };
}
