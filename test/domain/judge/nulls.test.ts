import { describe, expect, it } from 'vitest';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import type { JudgeSettings } from '../../../src/domain/judge/judge.ts';
import { arrivals, type Request, told } from './told.ts';
import { randomFrom, START, settings } from './traffic.ts';

/** Healthy canaries under what clusters do. Whoever is called harmful here is called so with certainty, not once in a thousand. */
function harmed(runs: number, play: (random: () => number) => readonly Evidence[], over: Partial<JudgeSettings>): number {
  let count = 0;
  for (let run = 1; run <= runs; run += 1) {
    const judge = createJudge(settings({ lateMs: 1_000, ...over }));
    if (play(randomFrom(run * 7_919)).some((event) => judge.hear(event)?.kind === 'harmful')) count += 1;
  }
  return count;
}

describe('a healthy canary is not rolled back', () => {
  it('by failures that come later than successes, at the end of a batch', () => {
    const batches = (random: () => number) =>
      told(
        Array.from({ length: 12 }, (_, batch) => batch * 20_000).flatMap((from) =>
          Array.from({ length: 400 }, () => {
            const failed = random() < 0.008;
            return { start: from + random() * 500, canary: true, failed, latencyMs: failed ? 990 : 3 };
          }),
        ),
      );
    expect(harmed(20, batches, { exposure: 1, durationMs: 240_000 })).toBe(0);
  });

  it('by failures that are quicker than successes, when a stage begins', () => {
    const quick = (random: () => number) =>
      told(
        [...arrivals(random, 2_000, 2_000)].map((start) => {
          const failed = random() < 0.005;
          return { start, canary: random() < 0.5, failed, latencyMs: failed ? 2 : 300 };
        }),
      );
    expect(harmed(20, quick, { exposure: 0.5 })).toBe(0);
  });

  it('by answering a second later than its control, shared outages or none', () => {
    const later = (outage: number) => (random: () => number) =>
      told(
        [...arrivals(random, 100, 120_000)].map((start) => {
          const canary = random() < 0.5;
          const failed = random() < (start % 30_000 > 28_000 ? outage : 0.001);
          return { start, canary, failed, latencyMs: canary ? 900 : 5 };
        }),
      );
    expect(harmed(10, later(0.001), { exposure: 0.5 })).toBe(0);
    expect(harmed(10, later(0.5), { exposure: 0.5, slo: 'relative' })).toBe(0);
    expect(harmed(5, later(0.5), { exposure: 0.5, slo: 'excused' })).toBe(0);
  });

  it('by a control whose failures hang until a long limit, while its own come at once', () => {
    const hanging = (random: () => number) =>
      told(
        [...arrivals(random, 400, 90_000)].map((start) => {
          const [canary, failed] = [random() < 0.5, random() < 0.001];
          return { start, canary, failed, latencyMs: failed && !canary ? 9_900 : 1 };
        }),
      );
    expect(harmed(12, hanging, { exposure: 0.5, durationMs: 90_000, slo: 'relative', lateMs: 10_000, alpha: 0.01 })).toBe(0);
  });

  it('by pairs of one id that are under way together and both fail, its own more quickly', () => {
    const pairs = (random: () => number) =>
      told(
        [...arrivals(random, 40, 120_000)].flatMap((start, index) => {
          const failed = random() < 0.02;
          const one = (): Request => {
            const canary = random() < 0.5;
            return { start, canary, failed, latencyMs: failed && !canary ? 300 : 2, ...(failed && { client: `id-${index}` }) };
          };
          return failed ? [one(), one()] : [one()];
        }),
      );
    expect(harmed(10, pairs, { exposure: 0.5, slo: 'relative' })).toBe(0);
  });

  it('by a weight that is in force at the gateway some seconds late', () => {
    const late = (random: () => number) =>
      told(
        [...arrivals(random, 400, 20_000)].map((start) => ({
          start,
          canary: start > 3_000 && random() < 0.5,
          failed: false,
          latencyMs: 5,
        })),
      );
    expect(harmed(5, late, { exposure: 0.5 })).toBe(0);
  });

  it('by requests that were not split, on either side', () => {
    const mixed = (random: () => number) =>
      told(
        [...arrivals(random, 150, 300_000)].map((start) => {
          const isSplit = random() < 0.4;
          const canary = isSplit && random() < 0.5;
          return { start, canary, failed: isSplit && random() < 0.005, latencyMs: 5, ...(!isSplit && { unsplit: true as const }) };
        }),
      );
    expect(harmed(10, mixed, { exposure: 0.5, durationMs: 300_000 })).toBe(0);
  });

  it('by peers that its pods are denied, each pod once in 15 s, however few requests it gets', () => {
    const denied = (random: () => number): readonly Evidence[] => {
      const requests = told(
        [...arrivals(random, 50, 300_000)].map((start) => ({ start, canary: random() < 0.05, failed: false, latencyMs: 5 })),
      );
      const drops = ['canary', 'stable'].flatMap((side, pod) =>
        Array.from({ length: 20 }, (_, index): Evidence => {
          const at = START + index * 15_000 + random() * 900;
          const peer = { source: `ns/pod-${pod}`, destination: '203.0.113.9', port: 443, reason: 'POLICY_DENIED', peer: '203.0.113.9' };
          return { kind: 'drop', at, seenAt: at, side: side as 'canary' | 'stable', id: `${pod}-${index}`, ...peer };
        }),
      );
      return [...requests, ...drops].toSorted((a, b) => a.at - b.at);
    };
    expect(harmed(10, denied, { exposure: 0.05, durationMs: 300_000 })).toBe(0);
    const judge = createJudge(settings({ exposure: 0.05, durationMs: 300_000 }));
    for (const event of denied(randomFrom(1))) judge.hear(event);
    expect(judge.conclude(START + 300_000).words).toMatch(
      /not judged: with 203\.0\.113\.9 port 443 \(POLICY_DENIED\) 20 times, 20 times elsewhere\.$/,
    );
  });
});

describe('a canary that no packet reaches is found', () => {
  const dead = (random: () => number) =>
    told(
      [...arrivals(random, 100, 60_000)]
        .map((start) => ({ start, canary: random() < 0.1, failed: false, latencyMs: 5 }))
        .filter(({ start, canary }) => !canary || start < 20_000),
    );

  it('by its share of the answers, once it has been seen with it', () => {
    const judge = createJudge(settings({ exposure: 0.1, lateMs: 1_000, durationMs: 60_000 }));
    const verdict = dead(randomFrom(1))
      .map((event) => judge.hear(event))
      .find(Boolean);
    expect(verdict).toMatchObject({ kind: 'harmful', judge: 'silence' });
    expect(verdict?.kind === 'harmful' && verdict.decidedAt - START).toBeLessThan(30_000);
    expect(verdict?.words).toMatch(/no longer answers its share: none of the last \d+ answers came from it, where about \d+ were due/);
  });

  it('and not while a node is out of sight: its records may be the ones that are missing', () => {
    const judge = createJudge(settings({ exposure: 0.1, lateMs: 1_000, durationMs: 60_000 }));
    const hidden: Evidence = { kind: 'gap', at: START + 19_000, node: 'node-1', reason: 'stream ended' };
    const events = [...dead(randomFrom(1)), hidden].toSorted((a, b) => a.at - b.at);
    expect(events.map((event) => judge.hear(event)?.kind).filter(Boolean)).toEqual(['blind']);
  });

  it('by the connections to it that are dropped, after a handful', () => {
    const judge = createJudge(settings({ exposure: 0.1, lateMs: 1_000 }));
    for (const event of told(
      Array.from({ length: 300 }, (_, index) => ({ start: index * 10, canary: index % 10 === 0, failed: false, latencyMs: 2 })),
    ))
      judge.hear(event);
    const drop = (index: number): Evidence => {
      const at = START + 3_000 + index * 100;
      const way = {
        source: 'ingress',
        destination: 'backend/backend-canary-1',
        port: 8080,
        reason: 'POLICY_DENIED',
        connection: true,
      } as const;
      return { kind: 'drop', at, seenAt: at, side: 'canary', id: String(index), ...way };
    };
    const said = Array.from({ length: 8 }, (_, index) => judge.hear(drop(index)));
    expect(said.findIndex(Boolean)).toBeLessThanOrEqual(4);
    expect(said.find(Boolean)).toMatchObject({
      kind: 'harmful',
      judge: 'objective',
      words: expect.stringContaining('How: dropped (POLICY_DENIED)'),
    });
  });
});
