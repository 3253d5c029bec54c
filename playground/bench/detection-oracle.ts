/**
 * The honest floor: a Bayes test that knows the share, both failure rates after the fault and before it, and that it begins at any moment of the
 * watch alike, held to the same promise. Null: the canary fails no more than the objective and no more than its control. Its likelihood is
 * the joint e-process with the null that is hardest to tell from the fault (reverse information projection).
 */
export class Oracle {
  readonly #needed: number;
  readonly #perMs: number;
  readonly #share: number;
  readonly #canary: readonly [number, number];
  readonly #stable: readonly [number, number];
  #sum = 0;
  #left = 1;
  #clock = 0;

  constructor(
    fault: { readonly share: number; readonly control: number; readonly onsetMs: number },
    exposure: number,
    watchMs: number,
    alpha: number,
  ) {
    const { share, control, onsetMs } = fault;
    const null_ = nullOf(share, control, exposure);
    this.#needed = 1 / alpha;
    // A fault from the first request on is known to begin there.
    this.#perMs = onsetMs === 0 ? Number.POSITIVE_INFINITY : 1 / watchMs;
    this.#share = exposure;
    this.#canary = [share / null_, (1 - share) / (1 - null_)];
    this.#stable = exposure === 1 ? [1, 1] : [control / null_, (1 - control) / (1 - null_)];
  }

  hear(at: number, canary: boolean, failed: boolean): boolean {
    const released = Math.min(this.#left, this.#perMs === Number.POSITIVE_INFINITY ? this.#left : (at - this.#clock) * this.#perMs);
    this.#clock = at;
    this.#left -= released;
    const [up, down] = canary ? this.#canary : this.#stable;
    this.#sum = (this.#sum + released) * (failed ? up : down);
    return this.#share > 0 && this.#sum + this.#left >= this.#needed;
  }
}

const OBJECTIVE = 0.01;

function nullOf(share: number, control: number, exposure: number): number {
  return exposure === 1 ? OBJECTIVE : Math.min(OBJECTIVE, exposure * share + (1 - exposure) * control);
}

/** Information per canary request against that null (nats): what no test can do without when the start is known. */
export function information(share: number, control: number, exposure: number): number {
  const null_ = nullOf(share, control, exposure);
  return divergence(share, null_) + (exposure === 1 ? 0 : ((1 - exposure) / exposure) * divergence(control, null_));
}

/** Kullback-Leibler divergence per request of failing with p from failing with p0 (nats). */
function divergence(p: number, p0: number): number {
  return p * Math.log(p / p0) + (p === 1 ? 0 : (1 - p) * Math.log((1 - p) / (1 - p0)));
}
