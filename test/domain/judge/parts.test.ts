import { describe, expect, it } from 'vitest';
import { logProof, lowerBound, requestsNeeded, upperBound } from '../../../src/domain/judge/bound.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import type { JudgeSettings } from '../../../src/domain/judge/judge.ts';
import { randomFrom, request, START, settings } from './traffic.ts';

function first(events: Iterable<Evidence>, over: Partial<JudgeSettings>) {
  const judge = createJudge(settings(over));
  for (const event of events) {
    const verdict = judge.hear(event);
    if (verdict) return verdict;
  }
  return undefined;
}

describe('retries', () => {
  const failing = (count: number, client: (index: number) => string | undefined) =>
    Array.from({ length: count }, (_, index) => {
      const name = client(index);
      return { ...request(START + index * 50, true), path: '/cart', ...(name !== undefined && { client: name }) };
    });

  it('of one client and path within a second are one failure; of many clients they are many', () => {
    expect(
      first(
        failing(15, () => 'client-1'),
        {},
      ),
    ).toBeUndefined();
    expect(
      first(
        failing(15, (index) => `client-${index}`),
        {},
      ),
    ).toMatchObject({ kind: 'harmful' });
    expect(
      first(
        failing(15, () => undefined),
        {},
      ),
    ).toMatchObject({ kind: 'harmful' });
  });

  it('are still counted for people', () => {
    const judge = createJudge(settings());
    for (const event of failing(15, () => 'client-1')) judge.hear(event);
    expect(judge.counts.canary).toEqual({ requests: 15, failures: 15 });
  });

  it('stop counting as such after a second', () => {
    const slow = failing(15, () => 'client-1').map((event, index) => ({ ...event, at: START + index * 1_000 }));
    expect(first(slow, {})).toMatchObject({ kind: 'harmful' });
  });
});

describe('the budget', () => {
  it('ends it when so many failures above the objective are used up, and is off by default', () => {
    const events = Array.from({ length: 400 }, (_, i) => request(START + i * 100, i % 40 === 0));
    expect(first(events, { budget: 5, alpha: 1e-9 })).toMatchObject({
      kind: 'harmful',
      judge: 'budget',
      counts: { canary: { failures: 8 } },
    });
    expect(first(events, { alpha: 1e-9 })).toBeUndefined();
  });
});

describe('promotion', () => {
  const concluded = (count: number, failures: number, over: Partial<JudgeSettings> = {}) => {
    const judge = createJudge(settings({ alpha: 1e-9, ...over }));
    const every = failures === 0 ? 0 : Math.floor(count / failures);
    for (let i = 0; i < count; i += 1) judge.hear(request(START + i * 10, every > 0 && i % every === every - 1));
    return judge.conclude(START + count * 10);
  };
  const confidence = { promotion: { kind: 'confidence', level: 0.05 } } as const;

  it('by counts takes as many requests as were asked for', () => {
    expect(concluded(60, 0)).toMatchObject({ kind: 'healthy' });
  });

  it('by confidence says how many more requests it needs', () => {
    const verdict = concluded(60, 0, confidence);
    expect(verdict).toMatchObject({ kind: 'no-traffic', needed: 363 });
    expect(verdict.words).toContain('It needs about 303 more requests like these');
    expect(concluded(362, 0, confidence).kind).toBe('no-traffic');
    expect(concluded(363, 0, confidence).kind).toBe('healthy');
    expect(concluded(2_800, 14, confidence).kind).toBe('healthy');
    expect(concluded(1_000, 10, confidence).words).toContain('no number of requests would prove it');
  });

  it('relative to a control wants room between the two bounds', () => {
    const over = { slo: 'relative', exposure: 0.5, ...confidence } as const;
    const judged = (count: number) => {
      const judge = createJudge(settings({ alpha: 1e-9, ...over }));
      for (let i = 0; i < count; i += 1) {
        judge.hear(request(START + i * 10, i % 30 === 0));
        judge.hear(request(START + i * 10, i % 20 === 0, 'stable'));
      }
      return judge.conclude(START + count * 10).kind;
    };
    expect(judged(300)).toBe('no-traffic');
    expect(judged(6_000)).toBe('healthy');
  });
});

describe('silence at the end', () => {
  const concluded = (times: readonly number[], at: number, over: Partial<JudgeSettings> = {}) => {
    const judge = createJudge(settings(over));
    for (const time of times) judge.hear(request(START + time, false));
    return judge.conclude(START + at);
  };
  const steady = Array.from({ length: 600 }, (_, i) => i * 100);

  it('keeps a stage from passing on what was seen long ago, and says what was due', () => {
    const verdict = concluded(steady, 70_000);
    expect(verdict).toMatchObject({ kind: 'no-traffic', needed: 101 });
    expect(verdict.words).toMatch(/nothing was heard of the canary in the last 10 s, where about 101 were due/);
  });

  it('is nothing unusual for as long as chance or a late stream explains it', () => {
    expect(concluded(steady, 61_800).kind).toBe('healthy');
    const rare = Array.from({ length: 60 }, (_, i) => i * 2_000);
    expect(concluded(rare, 130_000).kind).toBe('healthy');
  });

  it('is nothing unusual where traffic comes in bursts', () => {
    const bursts = Array.from({ length: 400 }, (_, i) => Math.floor(i / 100) * 30_000 + (i % 100) * 20);
    expect(concluded(bursts, 119_000).kind).toBe('healthy');
    // A watch that waits for answers is over at its planned end: what is silent afterwards is no news.
    expect(concluded(bursts, 190_000, { durationMs: 120_000 }).kind).toBe('healthy');
    expect(concluded(bursts, 190_000, { durationMs: 190_000 }).kind).toBe('no-traffic');
  });

  it('is what was wanted where nothing is exposed', () => {
    expect(concluded(steady, 100_000, { exposure: 0 }).kind).toBe('healthy');
  });

  it('is remembered over a snapshot', () => {
    const judge = createJudge(settings());
    for (const time of steady) judge.hear(request(START + time, false));
    const resumed = createJudge(settings(), JSON.parse(JSON.stringify(judge.snapshot())));
    expect(resumed.conclude(START + 70_000)).toEqual(judge.conclude(START + 70_000));
    expect(resumed.conclude(START + 70_000).kind).toBe('no-traffic');
  });
});

describe('bounds', () => {
  it('hold at every moment of a sequence at once, with at least their level', () => {
    const random = randomFrom(9);
    let [broken, below] = [0, 0];
    const runs = 1_000;
    for (let run = 0; run < runs; run += 1) {
      let [failures, tooLow, tooHigh] = [0, false, false];
      for (let n = 1; n <= 2_000; n += 1) {
        if (random() < 0.02) failures += 1;
        tooLow ||= logProof(failures, n, 0.02) >= -Math.log(0.1);
        if (n % 200 === 0) tooHigh ||= lowerBound(failures, n, 0.1) > 0.02;
      }
      if (tooLow) broken += 1;
      if (tooHigh) below += 1;
    }
    expect(broken / runs).toBeLessThan(0.1 + 3 * Math.sqrt(0.09 / runs));
    expect(broken).toBeGreaterThan(5);
    expect(below / runs).toBeLessThan(0.1);
  });

  it('say what a forecast needs', () => {
    expect(requestsNeeded(0, 0, 0.01, 0.05)).toBe(363);
    expect(requestsNeeded(1, 100, 0.01, 0.05)).toBeUndefined();
    expect(requestsNeeded(5, 1_000, 0.01, 0.05)).toBeGreaterThan(2_400);
    expect(requestsNeeded(5, 1_000, 0.01, 0.05)).toBeLessThan(2_900);
    expect(lowerBound(300, 10_000, 0.05)).toBeGreaterThan(0.025);
    expect(lowerBound(300, 10_000, 0.05)).toBeLessThan(0.03);
    expect(upperBound(300, 10_000, 0.05)).toBeGreaterThan(0.03);
  });
});

it('requests of our own count once, are told apart, and are remembered over a change of worker', () => {
  const judge = createJudge(settings());
  for (let at = 0; at < 60; at++) judge.hear({ ...request(START + at * 100, false), ...(at % 3 === 0 && { synthetic: true }) });
  expect(judge.counts.canary).toEqual({ requests: 60, failures: 0, synthetic: 20 });
  const resumed = createJudge(settings(), judge.snapshot());
  const verdict = resumed.conclude(START + 6_000);
  expect(verdict.words).toContain('0 of 60 requests failed, 20 of the 60 synthetic');
  expect(verdict.counts.stable).not.toHaveProperty('synthetic');
});
