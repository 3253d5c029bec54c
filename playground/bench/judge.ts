import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { JsonObject } from '../../src/domain/json.ts';
import { createJudge } from '../../src/domain/judge/create.ts';
import type { RequestEvidence } from '../../src/domain/judge/evidence.ts';
import type { JudgeSettings } from '../../src/domain/judge/judge.ts';
import type { Bench } from './bench.ts';
import { chanceFrom } from './judge-chance.ts';

const EVENTS = 400_000;
const ROUNDS = 10;
const TARGETS = 2_000;
/** All judges on; alpha so small that none ever ends the measurement. */
const SETTINGS: JudgeSettings = {
  objective: 0.01,
  alpha: 1e-12,
  durationMs: 3_600_000,
  startedAt: 0,
  minRequests: 50,
  canaryService: 'backend-canary',
  exposure: 0.1,
  slo: 'both',
  lateMs: 1_000,
  budget: 1e9,
};

export const judge: Bench = {
  name: 'judge',
  what: 'events per second of processor time of the judge, one event per call, all judges and mixtures on; memory per watched target',
  run: async ({ progress, signal }) => {
    const figures: Record<string, JsonObject> = {};
    for (const [name, share, failing] of CELLS) {
      signal.throwIfAborted();
      progress({ kind: 'note', step: 'judge', detail: name, ms: 0 });
      figures[name] = speed(share, failing);
    }
    progress({ kind: 'note', step: 'judge', detail: 'memory', ms: 0 });
    return { events: EVENTS * ROUNDS, cells: figures, targets: TARGETS, ...memory() };
  },
};

const CELLS: readonly (readonly [string, number, number])[] = [
  ['10% of requests to the canary, 0.5% fail', 0.1, 0.005],
  ['all requests are the canary', 1, 0.005],
  ['half to the canary, 30% fail, retries told apart', 0.5, 0.3],
];

function speed(share: number, failing: number): JsonObject {
  const events = requests(share, failing);
  const perSecond: number[] = [];
  let unexpected = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = createJudge({ ...SETTINGS, objective: Math.max(0.01, failing * 1.5) });
    const began = process.cpuUsage();
    for (const event of events) if (one.hear(event)) unexpected += 1;
    const { user, system } = process.cpuUsage(began);
    perSecond.push(Math.round(EVENTS / ((user + system) / 1e6)));
  }
  const sorted = perSecond.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(ROUNDS / 2)] ?? 0;
  return { eventsPerSecond: median, slowestRound: sorted[0] ?? 0, verdicts: unexpected };
}

function requests(share: number, failing: number, count = EVENTS): readonly RequestEvidence[] {
  const chance = chanceFrom(1);
  return Array.from({ length: count }, (_, index) => ({
    kind: 'request',
    at: index * 5,
    seenAt: index * 5,
    side: chance.uniform() < share ? 'canary' : 'stable',
    failed: chance.uniform() < failing,
    latencyMs: 5,
    openMs: 0,
    id: '',
    ...(failing > 0.1 && { client: `client-${index % 500}`, path: '/' }),
  }));
}

/** Bytes of one target's judge after 2,000 requests, and of its snapshot in a heartbeat. */
function memory(): JsonObject {
  const events = requests(0.1, 0.005, 2_000);
  // Without a collection before each look the figure is that of the garbage.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    for (let i = 0; i < 3; i += 1) collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const filled = (): ReturnType<typeof createJudge> => {
    const one = createJudge(SETTINGS);
    for (const event of events) one.hear(event);
    return one;
  };
  filled();
  const before = used();
  const all = Array.from({ length: TARGETS }, filled);
  const bytes = Math.round((used() - before) / all.length);
  return { bytesPerTarget: bytes, snapshotBytes: JSON.stringify(all[0]?.snapshot()).length };
}
