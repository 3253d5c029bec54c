import type { JsonObject } from '../../src/domain/json.ts';
import { startRig } from '../rig/rig.ts';
import { play } from '../scenarios/play.ts';
import { SCENARIOS } from '../scenarios/registry.ts';
import type { Report } from '../scenarios/report.ts';
import type { Bench } from './bench.ts';
import { quantiles } from './quantiles.ts';

/** From the first harmful response to the old weights: how long, and how many requests were harmed. */
const RUNS = 20;

export const rollback: Bench = {
  name: 'rollback',
  what: `${RUNS} canaries at about 10 requests/s that fail completely from a random moment: time and requests until undone`,
  run: async (context) => {
    const scenario = SCENARIOS.find(({ name }) => name === 'canary-5xx');
    if (!scenario) throw new Error('There is no scenario canary-5xx.');
    const rig = await startRig({ ...context, preset: 'ideal', seed: 1, pace: 'fast', split: true });
    try {
      const reports: Report[] = [];
      for (let seed = 1; seed <= RUNS && !context.signal.aborted; seed += 1) reports.push(await play(rig, scenario, { seed }));
      return summary(reports);
    } finally {
      await rig.stop();
    }
  },
};

/** Figures over the runs that ended as they must; the others are counted and named. */
export function summary(reports: readonly Report[]): JsonObject {
  const since = (pick: (report: Report) => number | undefined): number[] =>
    reports.flatMap((report) => {
      const [from, to] = [report.firstHarmAt, pick(report)];
      return from === undefined || to === undefined ? [] : [to - from];
    });
  return {
    runs: reports.length,
    ok: reports.filter((report) => report.ok).length,
    broken: reports.flatMap((report) => (report.broken === undefined ? [] : [`seed ${report.seed}: ${report.broken}`])),
    restoredExactly: reports.filter((report) => report.restoredExactly).length,
    decidedMs: quantiles(since((report) => report.decidedAt)),
    restoredMs: quantiles(since((report) => report.restoredAt)),
    inForceMs: quantiles(since((report) => report.inForceAt)),
    harmedRequests: quantiles(reports.map((report) => report.harmedRequests)),
  };
}
