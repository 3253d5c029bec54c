import { describe, expect, test } from 'vitest';
import { Chapters } from '../../../activities/watch/chapters.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import { failure, request } from '../support/watching.ts';

const HOUR_MS = 3_600_000;

function guard(resumed?: JsonObject) {
  const begun: { number: number; startedAt: number; spent: number }[] = [];
  const judges = new Chapters(
    {
      startedAt: 0,
      lengthMs: HOUR_MS,
      objective: 0.01,
      begin: (number, startedAt, spent, from) => {
        begun.push({ number, startedAt, spent });
        const settings = {
          objective: 0.01,
          alpha: 0.001 / number ** 2,
          durationMs: HOUR_MS,
          startedAt,
          minRequests: 10,
          canaryService: 'c',
          exposure: 0.1,
        };
        return { judge: createJudge(settings, from), end: () => undefined };
      },
    },
    resumed,
  );
  return { begun, judges };
}

describe('the judges of a guard', () => {
  test('a quiet chapter spends nothing; one that heard something takes its number along', () => {
    const { begun, judges } = guard();
    judges.hear({ kind: 'tick', at: HOUR_MS });
    judges.hear(request({ at: HOUR_MS + 1 }));
    judges.hear({ kind: 'tick', at: 2 * HOUR_MS });
    judges.hear({ kind: 'tick', at: 3 * HOUR_MS });
    expect(begun.map(({ number }) => number)).toEqual([1, 1, 2, 2]);
  });

  test('harm that begins after three days of health is found as fast as in a new watch', () => {
    const fewest = (from: number): number => {
      const { judges } = guard();
      for (let at = 0; at < from; at += 10_000) judges.hear(request({ at }));
      for (let n = 1; ; n += 1) if (judges.hear(failure({ at: from + n }))?.kind === 'harmful') return n;
    };
    expect(fewest(72 * HOUR_MS)).toBeLessThanOrEqual(fewest(0) + 3);
  });

  test('counts and what was used of the budget are those of all chapters, also after a resume', () => {
    const first = guard();
    for (let n = 0; n < 100; n += 1) first.judges.hear(request({ at: n }));
    for (let n = 0; n < 3; n += 1) first.judges.hear(failure({ at: 100 + n * 2_000 }));
    first.judges.hear({ kind: 'tick', at: HOUR_MS });
    first.judges.hear(request({ at: HOUR_MS + 1 }));
    const second = guard(JSON.parse(JSON.stringify(first.judges.snapshot())));
    expect(second.judges.counts.canary).toEqual({ requests: 104, failures: 3 });
    expect(second.judges.spent).toBeCloseTo(3 - 1.03);
    expect(second.begun).toEqual([{ number: 2, startedAt: HOUR_MS, spent: expect.closeTo(1.97) }]);
  });

  test('a node that cannot be seen is known to the next judge as well', () => {
    const { judges } = guard();
    judges.hear({ kind: 'gap', at: 10, node: 'node-1', reason: 'gone' });
    judges.hear({ kind: 'tick', at: HOUR_MS });
    expect(judges.conclude(HOUR_MS + 1)).toMatchObject({ kind: 'blind' });
    judges.hear({ kind: 'sight', at: HOUR_MS + 2, node: 'node-1' });
    expect(judges.conclude(HOUR_MS + 3).kind).not.toBe('blind');
  });
});
