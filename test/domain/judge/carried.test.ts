import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/domain/json.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { arrivals, told } from './told.ts';
import { randomFrom, START, settings } from './traffic.ts';

describe('the evidence of an operation', () => {
  const all = (count: number, failing: (index: number) => boolean, from = 0) =>
    Array.from({ length: count }, (_, index): Evidence => {
      const at = START + from + index * 50;
      return { kind: 'request', at, seenAt: at, side: 'canary', failed: failing(index), failure: '500', latencyMs: 0, id: '' };
    });
  const planned = { watches: 3, ms: 90_000 };

  it('is 1 in the beginning, and a watch or a guard that hears nothing changes nothing', () => {
    let carried: JsonObject | undefined;
    for (const [index, watch] of ([1, 'guard', 2, 'guard', 'guard', 3, 4, 5] as const).entries()) {
      const judge = createJudge(settings({ watch, planned, exposure: 0.1, startedAt: START + index * 30_000 }), undefined, carried);
      expect(judge.standing()[0]?.evidence).toBeCloseTo(1, 12);
      carried = JSON.parse(JSON.stringify(judge.carry?.())) as JsonObject;
    }
  });

  it('goes on: what failed in stage 2 counts in stage 4, whose verdict says so', () => {
    const heard = (judge: ReturnType<typeof createJudge>, events: readonly Evidence[]) =>
      events.map((event) => judge.hear(event)).find(Boolean);
    const two = createJudge(settings({ watch: 1, planned, stage: 2, exposure: 0.1 }));
    expect(
      heard(
        two,
        all(60, (index) => index === 20 || index === 40 || index === 55),
      ),
    ).toBeUndefined();
    const three = createJudge(settings({ watch: 2, planned, stage: 3, exposure: 0.1, startedAt: START + 3_000 }), undefined, two.carry?.());
    expect(
      heard(
        three,
        all(10, (index) => index === 5, 3_000),
      ),
    ).toBeUndefined();
    const four = createJudge(
      settings({ watch: 3, planned, stage: 4, exposure: 0.1, startedAt: START + 30_000 }),
      undefined,
      three.carry?.(),
    );
    const verdict = heard(
      four,
      all(200, (index) => index % 12 === 5, 30_000),
    );
    expect(verdict).toMatchObject({ kind: 'harmful', firstHarmAt: START + 1_000 });
    expect(verdict?.words).toMatch(/It began in stage 2: over all stages \d+ of \d+ requests failed/);
    const alone = createJudge(settings({ watch: 3, planned, stage: 4, exposure: 0.1, startedAt: START + 30_000 }));
    heard(
      alone,
      all(200, (index) => index % 12 === 5, 30_000),
    );
    expect(four.counts.canary.failures).toBeLessThan(alone.counts.canary.failures);
  });

  it('waits for what began before the planned end: a canary that fails quickly does not go on without what its control does slowly', () => {
    const judge = createJudge(settings({ exposure: 0.5, durationMs: 30_000, lateMs: 1_000, slo: 'relative', planned }));
    const requests = Array.from({ length: 600 }, (_, index) => {
      const [start, canary] = [index * 50, index % 2 === 0];
      const failed = index >= 590;
      return { start, canary, failed, latencyMs: failed && !canary ? 900 : 2 };
    });
    const events = told(requests);
    const compared = () => judge.standing().find((one) => one.judge === 'relative')?.evidence ?? 0;
    const heard = (from: number, to: number): void => {
      for (const event of events) if (event.at >= START + from && event.at < START + to) judge.hear(event);
    };
    heard(0, 30_020);
    expect(judge.pending?.(START + 30_020)).toBe('requests of this watch may still be open');
    const quickOnly = compared();
    heard(30_020, 40_000);
    judge.hear({ kind: 'tick', at: START + 33_000 });
    expect(judge.pending?.(START + 33_000)).toBeUndefined();
    expect(compared()).not.toBe(quickOnly);
    // What began after the end is no part of it.
    const carried = () => (judge.carry?.()?.['total'] as JsonObject | undefined)?.['comparison'];
    const ended = carried();
    for (const event of told([
      { start: 33_100, canary: true, failed: true, latencyMs: 2 },
      { start: 33_101, canary: false, failed: false, latencyMs: 2 },
    ]))
      judge.hear(event);
    judge.hear({ kind: 'tick', at: START + 60_000 });
    expect(carried()).toEqual(ended);
  });

  it('that was lost is thrown away: it only gets less, also where nothing is left of a first watch', () => {
    const judge = createJudge(settings({ watch: 1, planned, exposure: 0.1 }));
    for (const event of all(40, (index) => index > 37)) judge.hear(event);
    const carried = judge.carry?.() ?? {};
    const next = { watch: 2, planned, exposure: 0.1, startedAt: START + 30_000 } as const;
    const kept = createJudge(settings(next), undefined, carried).standing()[0]?.evidence ?? 0;
    const lost = createJudge(settings(next), undefined, { ...carried, lost: true }).standing()[0]?.evidence ?? 0;
    const nothing = createJudge(settings(next), undefined, { version: 2, lost: true }).standing()[0]?.evidence ?? 0;
    expect(lost).toBeLessThan(Math.min(1, kept));
    // What cannot be read was heard all the same.
    expect(createJudge(settings(next), undefined, { version: 9 }).standing()[0]?.evidence).toBe(nothing);
    expect(nothing).toBeLessThan(0.8);
  });

  it('of a shared outage is told as one: the others fail, too', () => {
    const random = randomFrom(5);
    const outage = told(
      [...arrivals(random, 60, 60_000)].map((start) => ({
        start,
        canary: random() < 0.5,
        failed: random() < (start > 20_000 ? 0.5 : 0),
        latencyMs: 5,
      })),
    );
    const judge = createJudge(settings({ exposure: 0.5, lateMs: 1_000 }));
    const verdict = outage.map((event) => judge.hear(event)).find((one) => one?.kind === 'harmful');
    expect(verdict).toMatchObject({ judge: 'objective' });
    expect(verdict?.words).toMatch(/The others fail, too: in the same time \d+ of \d+ requests failed/);
  });
});
