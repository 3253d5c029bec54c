import { setImmediate as breathe } from 'node:timers/promises';
import type { JsonObject } from '../../src/domain/json.ts';
import type { ReportProgress } from '../cluster/progress.ts';
import type { Bench } from './bench.ts';
import { ladderCells } from './detection-ladder.ts';
import { information } from './detection-oracle.ts';
import { RIVALS } from './detection-rivals.ts';
import { ALPHA, type Decided, detect, type Fault, JUDGES, WATCH_MS } from './detection-run.ts';
import { interval } from './judge-chance.ts';

const RUNS = 300;
const HEALTHY_RUNS = 2_000;
const RATES = [1, 10, 100] as const;
const HEALTHY_BEFORE = 0.001;
const HEALTHY_CANARY = 0.005;
const OURS = 'meshops';

/** What happens to the canary. Latency: a fifth of the answers comes later than the limit; hang: answered by a 5 s timeout. */
const FAULTS: Readonly<Record<string, { readonly share: number; readonly delayMs: number }>> = {
  '100% errors': { share: 1, delayMs: 0 },
  '10% errors': { share: 0.1, delayMs: 0 },
  '3% errors': { share: 0.03, delayMs: 0 },
  '1.5% errors': { share: 0.015, delayMs: 0 },
  '+latency: 20% late': { share: 0.2, delayMs: 700 },
  'hang, timeout 5 s': { share: 1, delayMs: 5_000 },
};

export const detection: Bench = {
  name: 'detection',
  what: 'time and exposed requests to the verdict: this judge, the one before it, an oracle, and models of the loops of Flagger and Argo Rollouts, on the same traffic',
  run: async ({ signal, progress, runs = RUNS }) => {
    const began = performance.now();
    const falls = await falseRollbacks(Math.max(1, Math.round((HEALTHY_RUNS * runs) / RUNS)), signal, progress);
    const cells: JsonObject[] = [];
    for (const cell of allCells()) {
      const rows = await measure(cell, cell.perSecond === 100 ? Math.ceil(runs / 2) : runs, signal);
      const line = summary(cell, rows, falls[cell.perSecond] ?? {});
      cells.push(line);
      const detail = `${cell.onset}, ${cell.perSecond}/s of ${cell.exposure * 100}%, ${cell.fault}: ${line.verdict}`;
      progress({ kind: 'note', step: 'detection', detail, ms: performance.now() - began });
    }
    const ladder: JsonObject[] = [];
    for await (const line of ladderCells(runs, signal)) {
      ladder.push(line);
      progress({ kind: 'note', step: 'detection', detail: JSON.stringify(line), ms: performance.now() - began });
    }
    const must = cells.filter(({ share }) => Number(share) >= 0.1);
    return {
      alpha: ALPHA,
      objective: 0.01,
      watchMinutes: WATCH_MS / 60_000,
      falseRollbacks: falls,
      cells,
      ladder,
      mustShow: { cells: must.length, ahead: must.filter(({ ahead }) => ahead === true).length },
      seconds: Math.round((performance.now() - began) / 1_000),
    };
  },
};

/** Bad from the start or from some moment on, a tenth of all requests to the canary; and larger shares, where a control says less. */
function allCells(): readonly Cell[] {
  const faults = Object.entries(FAULTS).map(([fault, what]) => ({ fault, ...what }));
  const usual = (['mid', 'start'] as const).flatMap((onset) => RATES.map((perSecond) => ({ onset, perSecond, exposure: 0.1 })));
  const larger = [0.5, 1].map((exposure) => ({ onset: 'mid' as const, perSecond: 10, exposure }));
  const half = { onset: 'start' as const, perSecond: 10, exposure: 0.5 };
  return [...usual, ...larger, half].flatMap((where) => faults.map((fault) => ({ ...fault, ...where })));
}

interface Cell {
  /** Share of all requests that the canary gets. */
  readonly exposure: number;
  readonly fault: string;
  readonly perSecond: number;
  readonly onset: 'mid' | 'start';
  readonly share: number;
  readonly delayMs: number;
}

function faultOf({ perSecond, share, delayMs, exposure }: Omit<Cell, 'fault' | 'onset'>, onsetMs: number): Fault {
  return { share, healthy: HEALTHY_BEFORE, onsetMs, delayMs, perSecond, controls: 1 / exposure - 1, control: HEALTHY_BEFORE };
}

async function measure(cell: Cell, runs: number, signal: AbortSignal): Promise<readonly (readonly Decided[])[]> {
  const rows: (readonly Decided[])[] = [];
  for (let run = 0; run < runs; run += 1) {
    if (run % 10 === 0) await breathe(undefined, { signal });
    // The onset falls anywhere in two minutes, so that no loop is favoured by its phase.
    const onsetMs = cell.onset === 'start' ? 0 : 120_000 + Math.floor((run / runs) * 1_200) * 100;
    rows.push(detect(faultOf(cell, onsetMs), run + 1));
  }
  return rows;
}

type Falls = Readonly<Record<string, { readonly hits: number; readonly runs: number; readonly interval: readonly [number, number] }>>;

/** Healthy canaries at half of the objective, 30 minutes each: how many each setting rolls back. */
async function falseRollbacks(
  runs: number,
  signal: AbortSignal,
  progress: ReportProgress,
): Promise<Readonly<Record<number, Falls & JsonObject>>> {
  const all: Record<number, Falls & JsonObject> = {};
  for (const perSecond of RATES) {
    const healthy: Fault = {
      ...faultOf({ perSecond, share: HEALTHY_CANARY, delayMs: 0, exposure: 0.1 }, WATCH_MS),
      healthy: HEALTHY_CANARY,
      control: HEALTHY_CANARY,
    };
    const hits = new Map<string, number>();
    // Ours hears ten times the canary's requests one by one; false-rollback has the figures that count.
    const own = Math.max(1, Math.round(runs / perSecond / 2));
    for (let run = 0; run < runs; run += 1) {
      if (run % 10 === 0) await breathe(undefined, { signal });
      const found = detect(healthy, run + 1, { judges: run < own ? ['meshops', 'before'] : [], rivals: true });
      found.forEach((one, index) => {
        const name = JUDGES[index] ?? RIVALS[index - JUDGES.length]?.name ?? '';
        if (one !== undefined) hits.set(name, (hits.get(name) ?? 0) + 1);
      });
    }
    const row = (name: string, count: number) => {
      const [low, high] = interval(hits.get(name) ?? 0, count);
      return [name, { hits: hits.get(name) ?? 0, runs: count, interval: [low, high] as const }] as const;
    };
    all[perSecond] = Object.fromEntries([row(OURS, own), row('before', own), ...RIVALS.map(({ name }) => row(name, runs))]) as Falls &
      JsonObject;
    progress({ kind: 'note', step: 'detection', detail: `healthy canaries at ${perSecond}/s: ${runs} runs`, ms: 0 });
  }
  return all;
}

interface Line {
  readonly found: number;
  readonly early: number;
  /** Not found within the watch: null. */
  readonly seconds: readonly [number | null, number | null];
  readonly exposed: readonly [number | null, number | null];
}

function lineOf(column: readonly Decided[]): Line {
  const early = column.filter((one) => one === 'early').length;
  const rest = column.filter((one) => one !== 'early');
  const found = rest.filter((one) => one !== undefined);
  const at = (values: readonly number[], q: number): number | null => {
    const sorted = values.toSorted((a, b) => a - b);
    const value = sorted[Math.max(0, Math.ceil(q * rest.length) - 1)];
    return value === undefined ? null : Math.round(value * 10) / 10;
  };
  const seconds = found.map(({ ms }) => ms / 1_000);
  const exposed = found.map((one) => Math.ceil(one.exposed));
  return { found: found.length, early, seconds: [at(seconds, 0.5), at(seconds, 0.95)], exposed: [at(exposed, 0.5), at(exposed, 0.95)] };
}

/** Fewer exposed requests than every setting that keeps false rollbacks within our bound, as far as its runs can tell. */
function summary(cell: Cell, rows: readonly (readonly Decided[])[], falls: Falls): JsonObject & { readonly verdict: string } {
  const all = [...JUDGES, ...RIVALS].map((_, index) => lineOf(rows.map((row) => row[index])));
  const own = all[0] ?? lineOf([]);
  const kept = (name: string) => (falls[name]?.interval[0] ?? 1) <= ALPHA;
  const behind = RIVALS.flatMap(({ name }, index) => {
    const line = all[index + JUDGES.length];
    if (!line || !kept(name)) return [];
    const slower = [0, 1].some((q) => (own.exposed[q] ?? Number.POSITIVE_INFINITY) >= (line.exposed[q] ?? Number.POSITIVE_INFINITY));
    return slower ? [`${name}: ${String(line.exposed)}`] : [];
  });
  // ln(1/alpha) over the information of a request: for one who knows when it begins.
  const knowingTheStart = Math.round((-Math.log(ALPHA) / information(cell.share, HEALTHY_BEFORE, cell.exposure)) * 10) / 10;
  const named = RIVALS.map(({ name }, index) => [name, { ...all[index + JUDGES.length], keepsBound: kept(name) }] as const);
  const [, before, oracle] = all;
  const verdict =
    behind.length === 0
      ? `ahead, ${String(own.exposed)} exposed, before ${String(before?.exposed)}, oracle ${String(oracle?.exposed)}`
      : `${String(own.exposed)} exposed, behind ${behind.join('; ')}`;
  return {
    ...cell,
    runs: rows.length,
    floor: { knowingTheStart, oracle: { ...oracle } },
    [OURS]: { ...own },
    before: { ...before },
    ...(Object.fromEntries(named) as JsonObject),
    ahead: behind.length === 0,
    verdict,
  };
}
