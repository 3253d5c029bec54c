import type { RequestEvidence } from '../../src/domain/evidence.ts';
import { alphaFor } from '../../src/domain/judge/alpha.ts';
import { createJudge } from '../../src/domain/judge/create.ts';
import { type Counters, RIVALS, Rival } from './detection-rivals.ts';
import { type Chance, chanceFrom } from './judge-chance.ts';

/** A canary that turns bad. Times in ms. */
export interface Fault {
  /** Share of canary requests that fail from the onset on, and before it. */
  readonly share: number;
  readonly healthy: number;
  readonly onsetMs: number;
  /** A failure shows so much later than its request was sent. */
  readonly delayMs: number;
  /** Canary requests a second; the control has `controls` times as many, of which `control` fail. */
  readonly perSecond: number;
  readonly controls: number;
  readonly control: number;
}

/** Planned length of the watch. */
export const WATCH_MS = 1_800_000;
const STEP_MS = 100;
const STEPS = WATCH_MS / STEP_MS;
/** Operation alpha, of which this is the first watch. */
export const ALPHA = 0.001;

/** When it was decided, and how many canary requests had been sent since the onset; undefined = not within the watch. */
export type Decided = { readonly ms: number; readonly exposed: number } | 'early' | undefined;

export interface Who {
  readonly ours: boolean;
  readonly rivals: boolean;
}

/** One run on one traffic: ours first, then each rival in the order of RIVALS. */
export function detect(fault: Fault, seed: number, who: Who = { ours: true, rivals: true }): readonly Decided[] {
  const chance = chanceFrom(seed);
  const traffic = new Traffic(fault, chance);
  const rivals = who.rivals ? RIVALS.map((setting) => new Rival(setting, chance.uniform())) : [];
  const ours = who.ours ? new Ours(fault, chanceFrom(seed + 777_777_777)) : undefined;
  for (let step = 0; step < STEPS; step += 1) {
    traffic.step(step);
    ours?.step(step, traffic);
    for (const rival of rivals) rival.pass((step + 1) * STEP_MS, traffic.counters);
    if ((!ours || ours.decidedAt !== undefined) && rivals.every(({ decidedAt }) => decidedAt !== undefined)) break;
  }
  const judged = (decidedAt: number | undefined): Decided => {
    if (decidedAt === undefined) return undefined;
    if (decidedAt < fault.onsetMs) return 'early';
    return { ms: decidedAt - fault.onsetMs, exposed: traffic.sentUntil(decidedAt) - traffic.sentUntil(fault.onsetMs) };
  };
  return [judged(ours?.decidedAt), ...rivals.map(({ decidedAt }) => judged(decidedAt))];
}

/** The canary's requests as sent and as answered, in steps: Poisson, failures and successes apart. */
class Traffic {
  readonly #fault: Fault;
  readonly #chance: Chance;
  readonly #sent = new Float64Array(STEPS + 1);
  readonly #failing = new Float64Array(STEPS);
  readonly counters: Counters = { stepMs: STEP_MS, requests: new Float64Array(STEPS + 1), failures: new Float64Array(STEPS + 1) };
  /** Answered in the last step. */
  failed = 0;
  succeeded = 0;

  constructor(fault: Fault, chance: Chance) {
    this.#fault = fault;
    this.#chance = chance;
  }

  step(step: number): void {
    const { share, healthy, onsetMs, delayMs, perSecond } = this.#fault;
    const harmed = step * STEP_MS >= onsetMs;
    const p = harmed ? share : healthy;
    const mean = (perSecond * STEP_MS) / 1_000;
    this.succeeded = this.#chance.poisson(mean * (1 - p));
    this.#failing[step] = this.#chance.poisson(mean * p);
    const before = step - delayMs / STEP_MS;
    this.failed = before >= 0 ? (this.#failing[before] ?? 0) : 0;
    this.#sent[step + 1] = (this.#sent[step] ?? 0) + this.succeeded + (this.#failing[step] ?? 0);
    const { requests, failures } = this.counters;
    requests[step + 1] = (requests[step] ?? 0) + this.succeeded + this.failed;
    failures[step + 1] = (failures[step] ?? 0) + this.failed;
  }

  /** Between two steps as if evenly spread. */
  sentUntil(ms: number): number {
    const step = Math.floor(ms / STEP_MS);
    const [from, to] = [this.#sent[step] ?? 0, this.#sent[step + 1] ?? this.#sent[step] ?? 0];
    return from + (to - from) * (ms / STEP_MS - step);
  }
}

/** Our judge, event by event. */
class Ours {
  readonly #judge;
  readonly #fault: Fault;
  readonly #chance: Chance;
  readonly #times: number[] = [];
  readonly #event = { kind: 'request', at: 0, seenAt: 0, side: 'canary', failed: false, latencyMs: 1, id: '' } as {
    -readonly [K in keyof RequestEvidence]: RequestEvidence[K];
  };
  decidedAt: number | undefined;

  constructor(fault: Fault, chance: Chance) {
    this.#fault = fault;
    this.#chance = chance;
    const alpha = alphaFor(ALPHA, 1);
    const exposure = 1 / (1 + fault.controls);
    const common = { objective: 0.01, alpha, durationMs: WATCH_MS, startedAt: 0, minRequests: 50, canaryService: 'canary', drops: {} };
    this.#judge = createJudge({ ...common, exposure });
  }

  step(step: number, traffic: Traffic): void {
    if (this.decidedAt !== undefined) return;
    const { perSecond, controls, control } = this.#fault;
    const mean = (perSecond * controls * STEP_MS) / 1_000;
    const counts = [traffic.succeeded, traffic.failed, this.#chance.poisson(mean * (1 - control)), this.#chance.poisson(mean * control)];
    // What falls into one step comes in random order: the whole number carries the sort of the event, the fraction its time.
    const times = this.#times;
    times.length = 0;
    counts.forEach((count, sort) => {
      for (let i = 0; i < count; i += 1) times.push(Math.floor(this.#chance.uniform() * 2 ** 40) * 4 + sort);
    });
    times.sort((a, b) => a - b);
    for (const time of times) {
      const sort = time % 4;
      const event = this.#event;
      event.at = (step + time / 2 ** 42) * STEP_MS;
      event.side = sort < 2 ? 'canary' : 'stable';
      event.failed = sort % 2 === 1;
      if (this.#judge.hear(event)?.kind !== 'harmful') continue;
      this.decidedAt = event.at;
      return;
    }
  }
}
