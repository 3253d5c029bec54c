import type { Evidence, RequestEvidence } from '../../../src/domain/judge/evidence.ts';
import type { JudgeSettings } from '../../../src/domain/judge/judge.ts';

/** A small seeded generator (mulberry32): the same runs on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const START = 1_700_000_000_000;

export function settings(over: Partial<JudgeSettings> = {}): JudgeSettings {
  return {
    objective: 0.01,
    alpha: 0.001,
    durationMs: 120_000,
    startedAt: START,
    minRequests: 50,
    canaryService: 'backend-canary',
    ...over,
  };
}

export function request(at: number, failed: boolean, side: 'canary' | 'stable' = 'canary'): RequestEvidence {
  return { kind: 'request', at, seenAt: at, side, failed, latencyMs: 5, id: `${side}-${at}`, ...(failed ? { failure: '500' } : {}) };
}

export interface Traffic {
  /** Canary requests a second, and the probability of failure, `ms` after the start. */
  readonly rate: (ms: number) => number;
  readonly failing: (ms: number) => number;
  readonly durationMs: number;
  readonly random: () => number;
}

/** Poisson arrivals until the duration is over. */
export function* traffic({ rate, failing, durationMs, random }: Traffic): Generator<Evidence> {
  for (let ms = 0; ; ) {
    ms += (-Math.log(1 - random()) * 1000) / rate(ms);
    if (ms >= durationMs) return;
    // The answer comes 5 ms after the request, which does not begin before the watch.
    yield request(START + ms + 5, random() < failing(ms));
  }
}
