import { createJudge } from '../../src/domain/judge/create.ts';
import type { RequestEvidence } from '../../src/domain/judge/evidence.ts';
import { alphaFor } from './before/alpha.ts';
import { JudgeBefore } from './before/judge.ts';
import { Oracle } from './detection-oracle.ts';
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
/** Operation alpha. This is the first of as many watches of the same length. */
export const ALPHA = 0.001;
const WATCHES = 6;

/** When it was decided, and how many canary requests had been sent since the onset; undefined = not within the watch. */
export type Decided = { readonly ms: number; readonly exposed: number } | 'early' | undefined;

/** `before`: the judge before this one. `oracle`: what knows everything but when it begins. */
export const JUDGES = ['meshops', 'before', 'oracle'] as const;

export interface Who {
  readonly judges: readonly (typeof JUDGES)[number][];
  readonly rivals: boolean;
}

/** One run on one traffic: the judges in their order, undefined where one is left out; then each rival in the order of RIVALS. */
export function detect(fault: Fault, seed: number, who: Who = { judges: JUDGES, rivals: true }): readonly Decided[] {
  const chance = chanceFrom(seed);
  const traffic = new Traffic(fault, chance);
  const rivals = who.rivals ? RIVALS.map((setting) => new Rival(setting, chance.uniform())) : [];
  const ours = new Judges(fault, chanceFrom(seed + 777_777_777), who.judges);
  for (let step = 0; step < STEPS; step += 1) {
    traffic.step(step);
    ours.step(step, traffic);
    for (const rival of rivals) rival.pass((step + 1) * STEP_MS, traffic.counters);
    if (ours.over && rivals.every(({ decidedAt }) => decidedAt !== undefined)) break;
  }
  const judged = (decidedAt: number | undefined): Decided => {
    if (decidedAt === undefined) return undefined;
    if (decidedAt < fault.onsetMs) return 'early';
    return { ms: decidedAt - fault.onsetMs, exposed: traffic.sentUntil(decidedAt) - traffic.sentUntil(fault.onsetMs) };
  };
  return [...JUDGES.map((name) => judged(ours.decidedAt.get(name))), ...rivals.map(({ decidedAt }) => judged(decidedAt))];
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

type Hears = (event: RequestEvidence) => boolean;

/** Judges that hear the same requests, event by event. */
class Judges {
  readonly #fault: Fault;
  readonly #chance: Chance;
  readonly #hearing: Map<(typeof JUDGES)[number], Hears>;
  readonly #times: number[] = [];
  // Answered within a millisecond, with nothing open before it.
  readonly #event = { kind: 'request', at: 0, seenAt: 0, side: 'canary', failed: false, latencyMs: 1, openMs: 0, id: '' } as {
    -readonly [K in keyof RequestEvidence]: RequestEvidence[K];
  };
  readonly decidedAt = new Map<(typeof JUDGES)[number], number>();

  constructor(fault: Fault, chance: Chance, who: Who['judges']) {
    this.#fault = fault;
    this.#chance = chance;
    const exposure = 1 / (1 + fault.controls);
    const common = { objective: 0.01, durationMs: WATCH_MS, startedAt: 0, exposure };
    const planned = { watches: WATCHES, ms: WATCHES * WATCH_MS };
    const judge = createJudge({ ...common, alpha: ALPHA, minRequests: 50, canaryService: 'canary', lateMs: 1_000, planned });
    const before = new JudgeBefore({ ...common, alpha: alphaFor(ALPHA, 1), ...(exposure < 1 && { drops: {} }) });
    const oracle = new Oracle(fault, exposure, WATCH_MS, ALPHA);
    const all: Readonly<Record<(typeof JUDGES)[number], Hears>> = {
      meshops: (event) => judge.hear(event)?.kind === 'harmful',
      before: (event) => before.hear(event) !== undefined,
      oracle: (event) => oracle.hear(event.at, event.side === 'canary', event.failed),
    };
    this.#hearing = new Map(who.map((name) => [name, all[name]]));
  }

  get over(): boolean {
    return this.#hearing.size === 0;
  }

  step(step: number, traffic: Traffic): void {
    if (this.over) return;
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
      for (const [name, hears] of this.#hearing) {
        if (!hears(event)) continue;
        this.decidedAt.set(name, event.at);
        this.#hearing.delete(name);
      }
    }
  }
}
