import type { JsonObject } from '../../src/domain/json.ts';
import { createJudge } from '../../src/domain/judge/create.ts';
import type { DropEvidence, Evidence } from '../../src/domain/judge/evidence.ts';
import type { JudgeSettings } from '../../src/domain/judge/judge.ts';
import { alphaFor } from './before/alpha.ts';
import { JudgeBefore } from './before/judge.ts';
import { HealthyTraffic } from './false-rollback-traffic.ts';
import { type Chance, chanceFrom } from './judge-chance.ts';

/** One operation with a healthy canary: its stages, and the traffic of each. Times in ms from the start of a watch. */
export interface Healthy {
  /** Share exposed in each watch; the last one is the afterwatch. */
  readonly exposures: readonly number[];
  readonly watchMs: readonly number[];
  /** Watches that are guards beside a gate: their indices. */
  readonly guards?: readonly number[];
  /** Requests of the split a second, both sides together. */
  readonly rate: (ms: number) => number;
  /** Failure probability of each side. Healthy: the canary's is within the objective, and not above the control's. */
  readonly canary: (ms: number) => number;
  readonly stable: (ms: number) => number;
  readonly settings?: Partial<JudgeSettings>;
  /** Share of requests that the canary really gets; that of the stage unless told. */
  readonly share?: (ms: number, exposure: number) => number;
  /** How long an answer takes; a millisecond unless told. */
  readonly latency?: (asked: { readonly canary: boolean; readonly failed: boolean }, chance: Chance) => number;
  /** Failed requests are tried again by the same client, 100 ms apart, up to three times, and fail again with this probability. */
  readonly retried?: number;
  /** Requests a second that reach stable pods and were not split, and the share of them that fails. */
  readonly direct?: { readonly rate: (ms: number) => number; readonly failing: number };
  /** Drops that are nobody's request: each pod of a side, once in so many ms, with so many peers. */
  readonly denied?: {
    readonly canary: number;
    readonly stable: number;
    readonly everyMs: number;
    readonly peers: number;
    readonly isRandom?: boolean;
  };
  /** Share of the gateway's connections to either side that are dropped; requests of the canary (stable) open one with the given share. */
  readonly connections?: { readonly dropped: number; readonly canary: number; readonly stable: number };
  /** Errors of the gateway that reached no pod, a second. */
  readonly foreign?: number;
  /** Who is served by a pod that is cold, and how often it fails then. */
  readonly cold?: (canary: boolean, ms: number, chance: Chance) => { readonly isCold: boolean; readonly failing: number };
  /** A node is out of sight, and what its gateway sends is not heard: every so many ms for so many. */
  readonly churn?: { readonly everyMs: number; readonly ms: number; readonly share: number };
}

/** Which judge has spoken. */
export interface Spoken {
  readonly judge: string;
  readonly evidence?: number;
}

/** Hears what one watch hears, in order; true ends it. */
type Hears = (event: Evidence) => boolean;

/** Plays one operation; what would have rolled it back, or undefined. The same seed is the same traffic whatever alpha is. */
export function playHealthy(cell: Healthy, alpha: number, seed: number, before = false): Spoken | undefined {
  const chance = chanceFrom(seed);
  const judges = before ? new Before(cell, alpha) : new Ours(cell, alpha);
  let startedAt = 0;
  for (let index = 0; index < cell.exposures.length; index += 1) {
    const exposure = cell.exposures[index] ?? 1;
    const durationMs = cell.watchMs[index] ?? 0;
    judges.begin(index, startedAt);
    const ended = new HealthyTraffic(cell, exposure, durationMs, startedAt, chance).play((event) => judges.hear(event));
    if (ended) return judges.spoken;
    startedAt += durationMs;
  }
  return undefined;
}

/** Of the watches so far, how many judged a stage. */
function numberOf({ guards = [] }: Healthy, index: number): number | 'guard' {
  if (guards.includes(index)) return 'guard';
  return index + 1 - guards.filter((guard) => guard < index).length;
}

/** The operation's judges, each going on from the one before. */
export class Ours {
  readonly #cell: Healthy;
  readonly #common;
  #judge: ReturnType<typeof createJudge> | undefined;
  spoken: Spoken | undefined;

  constructor(cell: Healthy, alpha: number) {
    this.#cell = cell;
    const planned = { watches: cell.exposures.length - (cell.guards?.length ?? 0), ms: cell.watchMs.reduce((sum, ms) => sum + ms, 0) };
    this.#common = { objective: 0.01, alpha, minRequests: 50, canaryService: 'canary', lateMs: 1_000, planned };
  }

  begin(index: number, startedAt: number): void {
    const { exposures, watchMs, settings } = this.#cell;
    const [exposure, durationMs] = [exposures[index] ?? 1, watchMs[index] ?? 0];
    const carried: JsonObject | undefined = this.#judge?.carry?.();
    const watch = numberOf(this.#cell, index);
    this.#judge = createJudge({ ...this.#common, durationMs, startedAt, exposure, watch, ...settings }, undefined, carried);
  }

  readonly hear: Hears = (event) => {
    const verdict = this.#judge?.hear(event);
    if (verdict?.kind !== 'harmful') return false;
    this.spoken = { judge: verdict.judge, evidence: Math.exp(verdict.logEvidence) };
    return true;
  };
}

/** The judge before: it hears every request of a stable pod as control, drops by their share of requests, and no order of requests. */
class Before {
  readonly #cell: Healthy;
  readonly #alpha: number;
  readonly #told = new Set<string>();
  #judge: JudgeBefore | undefined;
  spoken: Spoken | undefined;

  constructor(cell: Healthy, alpha: number) {
    this.#cell = cell;
    this.#alpha = alpha;
  }

  begin(index: number, startedAt: number): void {
    const { exposures, watchMs, settings } = this.#cell;
    const [exposure, durationMs] = [exposures[index] ?? 1, watchMs[index] ?? 0];
    const { objective = 0.01, slo } = settings ?? {};
    const known = slo === 'absolute' || slo === 'relative' ? { slo } : {};
    const drops = exposure < 1 ? { drops: {} } : {};
    this.#judge = new JudgeBefore({
      objective,
      alpha: alphaFor(this.#alpha, index + 1),
      durationMs,
      startedAt,
      exposure,
      ...known,
      ...drops,
    });
  }

  readonly hear: Hears = (event) => {
    if (event.kind === 'drop' && !this.#isNew(event)) return false;
    const harm = this.#judge?.hear(event);
    if (harm) this.spoken = { judge: harm.judge };
    return harm !== undefined;
  };

  /** Once per source, destination, port and reason in ten seconds. */
  #isNew({ source, destination, port, at }: DropEvidence): boolean {
    const key = `${source} ${destination} ${port} ${Math.floor(at / 10_000)}`;
    const isNew = !this.#told.has(key);
    this.#told.add(key);
    return isNew;
  }
}
