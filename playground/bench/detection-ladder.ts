import { setImmediate as breathe } from 'node:timers/promises';
import type { JsonObject } from '../../src/domain/json.ts';
import { createJudge } from '../../src/domain/judge/create.ts';
import type { RequestEvidence } from '../../src/domain/judge/evidence.ts';
import type { JudgeSettings } from '../../src/domain/judge/judge.ts';
import { alphaFor } from './before/alpha.ts';
import { JudgeBefore } from './before/judge.ts';
import { ALPHA } from './detection-run.ts';
import { type Chance, chanceFrom } from './judge-chance.ts';

/** A whole climb at 100 requests/s: stages of two minutes, then the afterwatch. The canary turns bad in one of them. */
const STAGES = [0.01, 0.05, 0.1, 0.25, 0.5] as const;
const SOAK_MS = 120_000;
const AFTER_MS = 900_000;
const PER_SECOND = 100;
const HEALTHY = 0.001;
const GATE_MS = 3_600_000;
const GUARD_MS = 900_000;
const SETTLED_MS = 10_000;
const FAULTS = [1, 0.1, 0.03] as const;
const PLANNED = { watches: STAGES.length + 1, ms: STAGES.length * SOAK_MS + AFTER_MS };

interface Climb {
  /** Number of the stage that turns bad, from 2; one more than there are: the afterwatch. */
  readonly stage: number;
  readonly share: number;
  /** An hour at the gate before that stage, while guards watch the one before. */
  readonly gate: boolean;
}

/** Exposed requests until each decided; undefined = not within the stage. */
interface Found {
  readonly meshops: number | 'early' | undefined;
  readonly before: number | 'early' | undefined;
}

export async function* ladderCells(runs: number, signal: AbortSignal): AsyncGenerator<JsonObject> {
  for (const gate of [false, true]) {
    for (let stage = 2; stage <= STAGES.length + 1; stage += 1) {
      for (const share of FAULTS) {
        // An hour of traffic is 360,000 requests.
        const count = Math.max(1, Math.round(gate ? runs / 5 : share < 0.05 ? runs / 2 : runs));
        const found: Found[] = [];
        for (let run = 0; run < count; run += 1) {
          if (run % 5 === 0) await breathe(undefined, { signal });
          found.push(climb({ stage, share, gate }, run / count, run + 1));
        }
        const exposure = STAGES[stage - 1] ?? STAGES.at(-1) ?? 0;
        yield {
          stage,
          exposure,
          share,
          afterAnHourAtTheGate: gate,
          runs: count,
          meshops: line(found, 'meshops'),
          before: line(found, 'before'),
        };
      }
    }
  }
}

function line(found: readonly Found[], who: keyof Found): JsonObject {
  const all = found.map((one) => one[who]);
  const exposed = all.flatMap((one) => (typeof one === 'number' ? one : [])).toSorted((a, b) => a - b);
  const kept = all.filter((one) => one !== 'early').length;
  const at = (q: number) => exposed[Math.max(0, Math.ceil(q * kept) - 1)] ?? null;
  return { found: exposed.length, early: all.length - kept, exposed: [at(0.5), at(0.95)] };
}

/** `phase` in [0, 1): when in the middle of its stage the canary turns bad. */
function climb({ stage, share, gate }: Climb, phase: number, seed: number): Found {
  const chance = chanceFrom(seed * 31 + stage);
  const pair = new Pair();
  for (let number = 1; number <= stage; number += 1) {
    const exposure = STAGES[number - 1] ?? STAGES.at(-1) ?? 0;
    const length = number > STAGES.length ? AFTER_MS : SOAK_MS;
    if (number === stage && gate) {
      for (let guard = 0; guard < GATE_MS / GUARD_MS; guard += 1) {
        pair.begin('guard', STAGES[number - 2] ?? 0, GUARD_MS);
        pair.play(chance, GUARD_MS, STAGES[number - 2] ?? 0, () => HEALTHY, Number.POSITIVE_INFINITY);
      }
    }
    const onset = number === stage ? length * (0.3 + 0.2 * phase) : Number.POSITIVE_INFINITY;
    pair.begin(number, exposure, length);
    pair.play(chance, length, exposure, (ms) => (ms >= onset ? share : HEALTHY), onset);
  }
  return pair.found;
}

/** Both judges on the same traffic, each as it carries on. */
class Pair {
  #judge = createJudge(settingsOf(1, 0.01, SOAK_MS, 0));
  #before: JudgeBefore | undefined;
  #watches = 0;
  #clock = 0;
  readonly found: { meshops: Found['meshops']; before: Found['before'] } = { meshops: undefined, before: undefined };
  readonly #event = { kind: 'request', at: 0, seenAt: 0, side: 'canary', failed: false, latencyMs: 1, openMs: 0, id: '' } as {
    -readonly [K in keyof RequestEvidence]: RequestEvidence[K];
  };

  begin(watch: number | 'guard', exposure: number, durationMs: number): void {
    const carried = this.#watches === 0 ? undefined : this.#judge.carry?.();
    this.#watches += 1;
    const settings = settingsOf(watch, exposure, durationMs, this.#clock);
    this.#judge = createJudge(settings, undefined, carried);
    const { objective, startedAt } = settings;
    this.#before = new JudgeBefore({ objective, durationMs, startedAt, exposure, alpha: alphaFor(ALPHA, this.#watches), drops: {} });
  }

  play(chance: Chance, lengthMs: number, exposure: number, failing: (ms: number) => number, onset: number): void {
    const { found } = this;
    const event = this.#event;
    let exposed = 0;
    for (let ms = 0; found.meshops === undefined || found.before === undefined; ) {
      ms += (chance.exponential() * 1_000) / PER_SECOND;
      if (ms >= lengthMs) break;
      const canary = chance.uniform() < exposure;
      if (canary && ms >= onset) exposed += 1;
      event.at = this.#clock + ms;
      event.side = canary ? 'canary' : 'stable';
      event.failed = chance.uniform() < (canary ? failing(ms) : HEALTHY);
      const said = ms >= onset ? exposed : 'early';
      if (found.meshops === undefined && this.#judge.hear(event)?.kind === 'harmful') found.meshops = said;
      if (found.before === undefined && this.#before?.hear(event)) found.before = said;
    }
    this.#clock += lengthMs;
    // What began in the watch is settled before the next one.
    const harm = this.#judge.hear({ kind: 'tick', at: this.#clock + SETTLED_MS })?.kind === 'harmful';
    if (harm && found.meshops === undefined) found.meshops = lengthMs > onset ? exposed : 'early';
  }
}

function settingsOf(watch: number | 'guard', exposure: number, durationMs: number, startedAt: number): JudgeSettings {
  const common = { objective: 0.01, alpha: ALPHA, minRequests: 50, canaryService: 'canary', lateMs: 1_000 };
  return { ...common, durationMs, startedAt, exposure, watch, planned: PLANNED };
}
