import { setImmediate as breathe } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { CELLS } from './false-rollback-cells.ts';
import { type Estimate, exceeds } from './false-rollback-importance.ts';
import { type Healthy, playHealthy } from './false-rollback-play.ts';
import { interval } from './judge-chance.ts';

const RUNS = 10_000;
/** The judge before is counted with fewer: where it breaks, it breaks always. */
const BEFORE = 1 / 20;
const ALPHAS = [0.05, 0.01] as const;
const SMALL_ALPHA = 0.001;
/** Of the runs, how many are drawn by importance: a third of them and more end in a verdict. */
const WEIGHED = 1 / 6;

/** The environment may choose cells, `MESHOPS_BENCH=pods`: a regular expression on their names. */
function chosen(only: string | undefined) {
  return Object.entries(CELLS).filter(([name]) => only === undefined || new RegExp(only, 'i').test(name));
}

/**
 * How often a healthy canary is rolled back: whole operations, counted at alpha 0.05 and 0.01, and at 0.001 by importance sampling.
 * A cell is ok when the upper end of its 95% interval (Clopper-Pearson) is at most alpha. Beside it the judge before, on the same traffic.
 */
export const falseRollback: Bench = {
  name: 'false-rollback',
  what: `${RUNS} healthy operations a cell, stages, gates, retries and afterwatch on: how many are rolled back, by this judge and the one before`,
  run: async ({ signal, progress, runs = RUNS }) => {
    const began = performance.now();
    const cells: Row[] = [];
    const weighed = Math.max(1, Math.round(runs * WEIGHED));
    const rare: ReturnType<typeof rareRow>[] = [];
    for (const [name, cell] of chosen(process.env['MESHOPS_BENCH'])) {
      const begun = performance.now();
      const fired = await count(cell, runs, signal);
      const earlier = await count(cell, Math.max(1, Math.round(runs * BEFORE)), signal, true);
      for (const alpha of ALPHAS) cells.push(row(name, alpha, runs, fired[alpha], earlier[alpha], Math.max(1, Math.round(runs * BEFORE))));
      const shares = ALPHAS.map((alpha) => `${fired[alpha].total} at ${alpha}`).join(', ');
      const before = ALPHAS.map((alpha) => `${earlier[alpha].total} at ${alpha}`).join(', ');
      const detail = `${name}: ${shares} of ${runs}; before ${before} of ${Math.round(runs * BEFORE)}`;
      progress({ kind: 'note', step: 'false-rollback', detail, ms: performance.now() - begun });
      await breathe(undefined, { signal });
      rare.push(rareRow(name, weighed, exceeds(cell, SMALL_ALPHA, weighed)));
      progress({ kind: 'note', step: 'false-rollback', detail: JSON.stringify(rare.at(-1)), ms: performance.now() - begun });
    }
    return {
      runs,
      cells,
      rare: {
        alpha: SMALL_ALPHA,
        method: 'operations drawn from one that turns bad, weighed by the likelihood ratio at the verdict',
        cells: rare,
      },
      allOk: [...cells, ...rare].every(({ ok }) => ok),
      seconds: Math.round((performance.now() - began) / 1_000),
    };
  },
};

type Row = ReturnType<typeof row>;

interface Fired {
  total: number;
  readonly by: Record<string, number>;
}

/** A run that keeps quiet at the larger alpha keeps quiet at the smaller one, so only the others are played again. */
async function count(cell: Healthy, runs: number, signal: AbortSignal, before = false): Promise<Record<(typeof ALPHAS)[number], Fired>> {
  const fired = { 0.05: { total: 0, by: {} }, 0.01: { total: 0, by: {} } } as Record<(typeof ALPHAS)[number], Fired>;
  for (let run = 0; run < runs; run += 1) {
    if (run % 100 === 0) await breathe(undefined, { signal });
    for (const alpha of ALPHAS) {
      const verdict = playHealthy(cell, alpha, run + 1, before);
      if (!verdict) break;
      fired[alpha].total += 1;
      fired[alpha].by[verdict.judge] = (fired[alpha].by[verdict.judge] ?? 0) + 1;
    }
  }
  return fired;
}

function row(cell: string, alpha: number, runs: number, { total, by }: Fired, before: Fired, runsBefore: number) {
  const [low, high] = interval(total, runs);
  const share = { exceed: total, share: total / runs, interval: [round(low), round(high)] as const, ok: high <= alpha, by: { ...by } };
  return { cell, alpha, runs, ...share, before: { runs: runsBefore, exceed: before.total, by: { ...before.by } } };
}

function rareRow(cell: string, runs: number, { probability, standardError, stopped }: Estimate) {
  const half = 1.96 * standardError;
  return {
    cell,
    alpha: SMALL_ALPHA,
    runs,
    probability: Number(probability.toPrecision(4)),
    interval: [probability - half, probability + half].map((value) => Number(Math.max(0, value).toPrecision(4))),
    ofAlpha: round(probability / SMALL_ALPHA),
    stopped: round(stopped),
    ok: probability + half <= SMALL_ALPHA,
  };
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
