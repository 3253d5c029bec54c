import { expect, test } from 'vitest';
import { Recorder } from '../../../activities/watch/recorder.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import { readBegin, readEvent } from '../../../src/domain/judge/record.ts';
import { Replay } from '../../../src/domain/judge/replay.ts';
import type { Verdict } from '../../../src/domain/judge/verdict.ts';
import { SILENT } from '../../../src/log.ts';
import type { WatchRecord } from '../../../src/ports.ts';
import { randomFrom, request, START, settings } from '../../domain/judge/traffic.ts';

const OVER = settings({ exposure: 0.1, durationMs: 600_000 });
const ABOUT = { opId: 'canary-t1', stage: 1, purpose: 'stage', startedAt: START, attempt: 1, endedAt: START + 1 } as const;

function recorder() {
  const kept: WatchRecord[] = [];
  return { kept, recorder: new Recorder({ keep: async (record) => void kept.push(record) }, SILENT) };
}

/** Hears requests until the judge speaks; the canary turns bad after `healthy` of them. */
function hearUntilHarm(judge: ReturnType<typeof createJudge> | Pick<ReturnType<typeof createJudge>, 'hear'>, healthy: number, from = 0) {
  const random = randomFrom(5);
  for (let n = from; ; n += 1) {
    const side = random() < 0.2 ? 'canary' : 'stable';
    const verdict = judge.hear(request(START + n * 10, side === 'canary' && n > healthy && random() < 0.5, side));
    if (verdict) return { verdict, heard: n + 1 - from };
  }
}

function replay({ text }: WatchRecord): { readonly verdict: Verdict | undefined; readonly steps: number } {
  const [first = '', ...rest] = text.trim().split('\n');
  const begin = readBegin(first);
  if (!begin.ok) throw new Error(begin.words);
  const judge = new Replay(begin.value);
  const steps = rest.map((line) => {
    const event = readEvent(line);
    if (!event.ok) throw new Error(event.words);
    return judge.hear(event.value);
  });
  expect(steps.slice(0, -1).every((step) => step && !step.verdict)).toBe(true);
  return { verdict: steps.at(-1)?.verdict, steps: steps.length };
}

test('a record gives the same verdict at the same event', () => {
  const { kept, recorder: writer } = recorder();
  const recording = writer.begin(OVER, createJudge(OVER), false);
  const { verdict, heard } = hearUntilHarm(recording.judge, 2_000);
  recording.end({ ...ABOUT, verdict: verdict.kind });
  expect(kept).toMatchObject([{ opId: 'canary-t1', verdict: 'harmful', events: heard }]);
  expect(replay(kept[0] as WatchRecord)).toEqual({ verdict, steps: heard });
});

test('one that has become too long begins in the middle, and still does', () => {
  const { kept, recorder: writer } = recorder();
  const recording = writer.begin(OVER, createJudge(OVER), false);
  const { verdict, heard } = hearUntilHarm(recording.judge, 150_000);
  recording.end(ABOUT);
  const [record] = kept as [WatchRecord];
  expect(record.text.length).toBeLessThan(8 * 2 ** 20 + 10_000);
  expect(record.events).toBeLessThan(heard);
  expect(record.events).toBeGreaterThan(20_000);
  expect(JSON.parse(record.text.slice(0, record.text.indexOf('\n')))).toHaveProperty('resumed.canary.requests');
  expect(replay(record).verdict).toEqual(verdict);
});

test('two thousand watches share what one may have', () => {
  const { kept, recorder: writer } = recorder();
  const recordings = Array.from({ length: 2_000 }, () => writer.begin(OVER, createJudge(OVER), false));
  for (let n = 0; n < 2_000; n += 1) recordings[0]?.judge.hear(request(START + n, false));
  for (const recording of recordings) recording.end(ABOUT);
  expect(kept[0]?.text.length).toBeLessThan(50_000);
  expect(kept[0]?.events).toBeGreaterThan(50);
});

test('that of a later attempt goes on from what the earlier one knew', () => {
  const { kept, recorder: writer } = recorder();
  const first = createJudge(OVER);
  for (let n = 0; n < 500; n += 1) first.hear(request(START + n * 10, n % 90 === 0));
  const snapshot = JSON.parse(JSON.stringify(first.snapshot())) as JsonObject;
  const recording = writer.begin(OVER, createJudge(OVER, snapshot), true);
  const { verdict } = hearUntilHarm(recording.judge, 600, 500);
  recording.end({ ...ABOUT, attempt: 2 });
  expect(replay(kept[0] as WatchRecord).verdict).toEqual(verdict);
  expect(verdict.counts.canary.requests).toBeGreaterThan(500);
});

test('a store that refuses it harms nothing', async () => {
  const refusing = new Recorder({ keep: () => Promise.reject(new Error('gone')) }, SILENT);
  const recording = refusing.begin(OVER, createJudge(OVER), false);
  recording.judge.hear(request(START, false));
  recording.end(ABOUT);
  await new Promise(setImmediate);
});
