import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { likelihoodRatio } from '../../../playground/bench/before/hypergeometric.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { Hypergeometric } from '../../../src/domain/judge/hypergeometric.ts';
import { Retries } from '../../../src/domain/judge/retries.ts';
import { randomFrom, request, START, settings } from './traffic.ts';

/** What is done late, at once or from a table comes out as if it were done where it is written: bit for bit, so with the same verdicts. */
describe('the judge hurries, and counts the same', () => {
  it('whoever looks, and however often', () => {
    const seeds = fc.integer({ min: 0, max: 1e6 });
    fc.assert(
      fc.property(seeds, fc.constantFrom(0.1, 0.5, 1), fc.constantFrom(0, 0.005, 0.05, 0.4), (seed, share, failing) => {
        const one = settings({ exposure: share, objective: Math.max(0.01, failing * 1.2), alpha: 1e-9, lateMs: 1_000 });
        const [left, watched] = [createJudge(one), createJudge(one)];
        for (const event of requests(seed, share, failing)) {
          expect(watched.hear(event)).toEqual(left.hear(event));
          watched.standing();
          watched.snapshot();
        }
        expect(watched.snapshot()).toEqual(left.snapshot());
        expect(watched.carry?.()).toEqual(left.carry?.());
      }),
      { numRuns: 30 },
    );
  });

  it('in another process', () => {
    const events = requests(7, 0.5, 0.3);
    const one = settings({ exposure: 0.5, objective: 0.4, alpha: 1e-9, lateMs: 1_000 });
    const through = createJudge(one);
    let resumed = createJudge(one);
    for (const [index, event] of events.entries()) {
      expect(resumed.hear(event)).toEqual(through.hear(event));
      if (index % 37 === 0) resumed = createJudge(one, JSON.parse(JSON.stringify(resumed.snapshot())));
    }
    expect(resumed.snapshot()).toEqual(through.snapshot());
  });

  it('the ratios of a block are those of their definition', () => {
    const odds = [2, 5, 15, 100];
    const [law, ratios] = [new Hypergeometric(odds), odds.map(() => 0)];
    const part = fc.integer({ min: 0, max: 1_000 }).map((each) => each / 1_000);
    const sizes = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 6_000 }));
    fc.assert(
      fc.property(sizes, part, part, part, (events, a, b, c) => {
        const [canary, failures] = [Math.floor(a * events), Math.floor(b * events)];
        const [least, most] = [Math.max(0, failures - events + canary), Math.min(failures, canary)];
        const canaryFailures = least + Math.floor(c * (most - least));
        law.ratios({ events, canary, failures, canaryFailures }, ratios);
        expect(ratios).toEqual(odds.map((each) => likelihoodRatio(events, canary, failures, canaryFailures, each)));
      }),
    );
  });

  it('retries are those of a map of client and path', () => {
    // Clients that end alike share a bucket; more of them than are remembered.
    for (const clients of [3, 200, 600]) {
      const random = randomFrom(clients);
      let [retries, map] = [new Retries(), new Map<string, number>()];
      const seen = { again: 0, twin: 0, first: 0 };
      let at = START;
      for (let n = 0; n < 4_000; n += 1) {
        at += random() * (clients > 256 ? 1 : 8);
        const client = `${Math.floor(random() * clients)}-0000`;
        const path = random() < 0.5 ? '/' : '/a b';
        const event = { ...request(Math.round(at), true), client, path, latencyMs: random() * 300 };
        const known = retries.known(event);
        expect(known).toBe(asMap(map, `${client} ${path}`, event.at, event.at - event.latencyMs));
        seen[known ?? 'first'] += 1;
        if (n % 500 !== 0) continue;
        const kept = [...map].filter(([, first]) => event.at - first < 1_000);
        expect(Object.entries(retries.snapshot(event.at))).toEqual(kept);
        [retries, map] = [new Retries(retries.snapshot(event.at)), new Map(kept)];
      }
      expect(Math.min(seen.first, seen.again, seen.twin)).toBeGreaterThan(20);
    }
  });
});

/** The plainest way to say it: the newest 256, the oldest first. */
function asMap(map: Map<string, number>, key: string, at: number, startedAt: number): 'again' | 'twin' | undefined {
  const first = map.get(key);
  if (first !== undefined && Math.abs(at - first) < 1_000) return startedAt < first ? 'twin' : 'again';
  map.delete(key);
  map.set(key, at);
  if (map.size > 256) map.delete(map.keys().next().value ?? '');
  return undefined;
}

function requests(seed: number, share: number, failing: number): readonly Evidence[] {
  const random = randomFrom(seed);
  let at = START;
  return Array.from({ length: 600 }, (_, index) => {
    at += -Math.log(1 - random()) * 8;
    const failed = random() < failing;
    const latencyMs = random() < 0.1 ? random() * 800 : random() * 10;
    return {
      ...request(at, failed, random() < share ? 'canary' : 'stable'),
      latencyMs,
      openMs: random() < 0.5 ? 0 : random() * 500,
      ...(index % 3 === 0 && { asked: true as const }),
      ...(failed && { client: `c${index % 50}`, path: '/' }),
    };
  });
}
