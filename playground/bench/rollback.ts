import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../src/domain/json.ts';
import type { ReportProgress } from '../cluster/progress.ts';
import { startRig } from '../rig/rig.ts';
import { play } from '../scenarios/play.ts';
import { SCENARIOS } from '../scenarios/registry.ts';
import type { Report } from '../scenarios/report.ts';
import type { Bench } from './bench.ts';
import { quantiles } from './quantiles.ts';

/** From the first harmful response to the old weights: how long, how many requests were harmed, and where the time goes. */
const RUNS = 30;

interface Setting {
  readonly preset: 'ideal' | 'cluster';
  readonly sight: 'agents' | 'relay';
}

const SETTINGS: readonly Setting[] = [
  { preset: 'ideal', sight: 'agents' },
  { preset: 'cluster', sight: 'agents' },
  { preset: 'ideal', sight: 'relay' },
  { preset: 'cluster', sight: 'relay' },
];

/** The environment may choose one of the four, `MESHOPS_BENCH=ideal/agents`: each takes some minutes. */
function chosen(only: string | undefined): readonly Setting[] {
  return SETTINGS.filter(({ preset, sight }) => only === undefined || only === `${preset}/${sight}`);
}

export const rollback: Bench = {
  name: 'rollback',
  what: `${RUNS} canaries at about 10 requests/s that fail completely from a random moment, for each preset, by agents and by Relay`,
  run: async (context) => {
    const figures: Record<string, JsonObject> = {};
    for (const setting of chosen(process.env['MESHOPS_BENCH']))
      figures[`${setting.preset}/${setting.sight}`] = await measure(setting, context);
    return figures;
  },
};

async function measure(
  setting: Setting,
  context: { readonly signal: AbortSignal; readonly progress: ReportProgress },
): Promise<JsonObject> {
  const scenario = SCENARIOS.find(({ name }) => name === 'canary-5xx');
  if (!scenario) throw new Error('There is no scenario canary-5xx.');
  const rig = await startRig({ ...context, ...setting, seed: 1, pace: 'fast', split: true });
  try {
    const reports: Report[] = [];
    for (let seed = 1; seed <= RUNS && !context.signal.aborted; seed += 1) {
      reports.push(await play(rig, scenario, { seed }));
    }
    const logs = await Promise.all(rig.workers.map(({ name }) => readFile(join(rig.stack.dir, `${name}.log`), 'utf8')));
    return { ...summary(reports), ...parts(logs.join('\n')) };
  } finally {
    await rig.stop();
  }
}

/** Figures over the runs that ended as they must; the others are counted and named. */
export function summary(reports: readonly Report[]): JsonObject {
  const since = (pick: (report: Report) => number | undefined): number[] =>
    reports.flatMap((report) => {
      const [from, to] = [report.firstHarmAt, pick(report)];
      return from === undefined || to === undefined ? [] : [to - from];
    });
  const between = (pick: (report: Report) => readonly [number | undefined, number | undefined]): number[] =>
    reports.flatMap((report) => {
      const [from, to] = pick(report);
      return from === undefined || to === undefined ? [] : [to - from];
    });
  return {
    runs: reports.length,
    ok: reports.filter((report) => report.ok).length,
    broken: reports.flatMap((report) => (report.broken === undefined ? [] : [`seed ${report.seed}: ${report.broken}`])),
    restoredExactly: reports.filter((report) => report.restoredExactly).length,
    restoredMs: quantiles(since((report) => report.restoredAt)),
    harmedRequests: quantiles(reports.map((report) => report.harmedRequests)),
    /** First harmful response to the response that decided: what the judge needs to be sure. */
    judgeMs: quantiles(since((report) => report.decidedAt)),
    /** From the response that decided to the old weights at the API server: flow lag, decision and write. */
    decidedToRestoredMs: quantiles(between((report) => [report.decidedAt, report.restoredAt])),
    restoredToInForceMs: quantiles(between((report) => [report.restoredAt, report.inForceAt])),
    inForceMs: quantiles(since((report) => report.inForceAt)),
  };
}

/** The product's own part, as its workers logged each fuse: flow received to write acknowledged. */
function parts(log: string): JsonObject {
  const fuses = log.split('\n').flatMap((line) => {
    if (!line.includes('fuse fired')) return [];
    const { ownMs, decisionToWriteMs } = JSON.parse(line) as { readonly ownMs?: number; readonly decisionToWriteMs?: number };
    return ownMs === undefined ? [] : [{ ownMs, writeMs: decisionToWriteMs ?? 0 }];
  });
  return { ownMs: quantiles(fuses.map((fuse) => fuse.ownMs)), writeMs: quantiles(fuses.map((fuse) => fuse.writeMs)) };
}
