/**
 * Models of the documented analysis loops of Flagger 1.44 (pkg/controller/scheduler.go) and Argo Rollouts 1.10 (analysis/analysis.go), fed
 * by a Prometheus that scrapes the canary's counters. They are models, not the binaries, and kind to them: counters exist from zero, a
 * window without requests is passed over, queries take no time, and the weights are back the moment the loop decides.
 */
export interface RivalSetting {
  readonly name: string;
  readonly intervalMs: number;
  readonly scrapeMs: number;
  /** Each window fails when more than `limit` of its requests failed; the first one that fails is the check's result. */
  readonly windows: readonly { readonly ms: number; readonly limit: number }[];
  /** Failed checks that decide, over the whole run. */
  readonly failures: number;
  /** First check after the weight was set. */
  readonly firstMs: number;
  /** Flagger compares its counter at the beginning of the next tick. */
  readonly nextTick: boolean;
}

const S = 1_000;
const slo = (ms: number) => [{ ms, limit: 0.01 }];
const two = [
  { ms: 10 * S, limit: 0.1 },
  { ms: 60 * S, limit: 0.03 },
];
function flagger(name: string, intervalMs: number, failures: number, windowMs: number): RivalSetting {
  return {
    name: `Flagger ${name}`,
    intervalMs,
    scrapeMs: 5 * S,
    windows: slo(windowMs),
    failures,
    firstMs: intervalMs,
    nextTick: true,
  };
}
function argo(name: string, over: Omit<RivalSetting, 'name' | 'nextTick'>): RivalSetting {
  return {
    name: `Argo ${name}`,
    nextTick: false,
    ...over,
  };
}

/** Documented and measured settings; the objective is 1% where a setting has only one threshold. */
export const RIVALS: readonly RivalSetting[] = [
  flagger('tutorial (60 s, threshold 5, 1 min)', 60 * S, 5, 60 * S),
  flagger('default (60 s, threshold 1, 1 min)', 60 * S, 1, 60 * S),
  flagger('at its floor (10 s, threshold 1, 30 s)', 10 * S, 1, 30 * S),
  // The first measurement finds no data and is tried again after 10 s.
  argo('docs (5 min, failureLimit 3, 5 min)', {
    intervalMs: 300 * S,
    scrapeMs: 5 * S,
    windows: slo(300 * S),
    failures: 4,
    firstMs: 10 * S,
  }),
  argo('60 s, 1 min', { intervalMs: 60 * S, scrapeMs: 5 * S, windows: slo(60 * S), failures: 1, firstMs: 10 * S }),
  argo('5 s, 30 s', { intervalMs: 5 * S, scrapeMs: 5 * S, windows: slo(30 * S), failures: 1, firstMs: 10 * S }),
  argo('1 s, one window (30 s under 1%)', { intervalMs: S, scrapeMs: S, windows: slo(30 * S), failures: 1, firstMs: 2 * S }),
  argo('1 s, two windows (10 s under 10%, 60 s under 3%)', { intervalMs: S, scrapeMs: S, windows: two, failures: 1, firstMs: 2 * S }),
  argo('1 s, two windows, initialDelay 60 s', { intervalMs: S, scrapeMs: S, windows: two, failures: 1, firstMs: 60 * S }),
];

/** Cumulative counts of canary answers, in steps of `stepMs`. */
export interface Counters {
  readonly stepMs: number;
  readonly requests: Float64Array;
  readonly failures: Float64Array;
}

/** One run of one setting. */
export class Rival {
  readonly #setting: RivalSetting;
  readonly #scrapePhase: number;
  #next: number;
  #failed = 0;
  /** When it rolled back (ms), once it has. */
  decidedAt: number | undefined;

  /** `phase` in [0, 1): where the scrapes stand relative to the checks. */
  constructor(setting: RivalSetting, phase: number) {
    this.#setting = setting;
    this.#scrapePhase = phase * setting.scrapeMs;
    this.#next = setting.firstMs;
  }

  /** Time has come to `ms`; counters are complete up to there. */
  pass(ms: number, counters: Counters): void {
    while (this.decidedAt === undefined && this.#next <= ms) {
      const at = this.#next;
      this.#next += this.#setting.intervalMs;
      if (this.#setting.nextTick && this.#failed >= this.#setting.failures) this.decidedAt = at;
      else if (this.#fails(at, counters)) {
        this.#failed += 1;
        if (!this.#setting.nextTick && this.#failed >= this.#setting.failures) this.decidedAt = at;
      }
    }
  }

  #fails(at: number, counters: Counters): boolean {
    const { windows, scrapeMs } = this.#setting;
    const last = Math.floor((at - this.#scrapePhase) / scrapeMs);
    return windows.some(({ ms, limit }) => {
      const first = Math.max(0, Math.ceil((at - ms - this.#scrapePhase) / scrapeMs));
      // rate() needs two samples.
      if (last <= first) return false;
      const [from, to] = [this.#scrapePhase + first * scrapeMs, this.#scrapePhase + last * scrapeMs];
      const requests = read(counters, counters.requests, to) - read(counters, counters.requests, from);
      const failures = read(counters, counters.failures, to) - read(counters, counters.failures, from);
      return requests > 0 && failures > limit * requests;
    });
  }
}

function read({ stepMs }: Counters, values: Float64Array, ms: number): number {
  return values[Math.floor(ms / stepMs)] ?? 0;
}
