import { setImmediate as breathe } from 'node:timers/promises';
import type { JsonObject } from '../../src/domain/json.ts';
import type { Bench } from './bench.ts';
import { CELLS } from './false-rollback-cells.ts';
import { type ImportanceCell, importanceCells } from './false-rollback-importance.ts';
import { type Healthy, playHealthy } from './false-rollback-play.ts';
import { interval } from './judge-chance.ts';

const RUNS = 10_000;
const ALPHAS = [0.05, 0.01] as const;
const SMALL_ALPHA = 0.001;
const WATCHES = 5;

/**
 * How often a healthy canary is rolled back: whole operations, counted at alpha 0.05 and 0.01, and at 0.001 by importance sampling.
 * A cell is ok when the upper end of its 95% interval (Clopper-Pearson) is at most alpha.
 */
export const falseRollback: Bench = {
  name: 'false-rollback',
  what: `${RUNS} healthy operations a cell, all judges, stages, retries and afterwatch on: how many are rolled back`,
  run: async ({ signal, progress, runs = RUNS }) => {
    const began = performance.now();
    const cells: JsonObject[] = [];
    for (const [name, cell] of Object.entries(CELLS)) {
      const begun = performance.now();
      const fired = await count(cell, runs, signal);
      for (const alpha of ALPHAS) cells.push(row(name, alpha, runs, fired[alpha]));
      const shares = ALPHAS.map((alpha) => `${fired[alpha].total} at ${alpha}`).join(', ');
      progress({ kind: 'note', step: 'false-rollback', detail: `${name}: ${shares} of ${runs}`, ms: performance.now() - begun });
    }
    const rare: ReturnType<typeof rareRow>[] = [];
    for (const found of importanceCells(SMALL_ALPHA, WATCHES, runs)) {
      await breathe(undefined, { signal });
      const line = rareRow(found);
      rare.push(line);
      const detail = `${line.cell}: ${line.probability.toExponential(2)} of ${line.alpha.toExponential(2)}`;
      progress({ kind: 'note', step: 'false-rollback', detail, ms: performance.now() - began });
    }
    const whole = (kind: RegExp) => rare.filter(({ cell }) => kind.test(cell)).reduce((sum, { probability }) => sum + probability, 0);
    // Judges and watches are not independent; the sum bounds their union.
    const operation = whole(/^objective 1%, canary at 1%, watch/) + whole(/^relative, both at 5%/);
    return {
      runs,
      cells,
      rare: { alpha: SMALL_ALPHA, method: 'runs drawn from the mixture, weighted by 1/evidence at the stop', cells: rare, operation },
      allOk: [...cells, ...rare].every(({ ok }) => ok === true) && operation <= SMALL_ALPHA,
      seconds: Math.round((performance.now() - began) / 1_000),
    };
  },
};

interface Fired {
  total: number;
  readonly by: Record<string, number>;
}

/** A run that keeps quiet at the larger alpha keeps quiet at the smaller one, so only the others are played again. */
async function count(cell: Healthy, runs: number, signal: AbortSignal): Promise<Record<(typeof ALPHAS)[number], Fired>> {
  const fired = { 0.05: { total: 0, by: {} }, 0.01: { total: 0, by: {} } } as Record<(typeof ALPHAS)[number], Fired>;
  for (let run = 0; run < runs; run += 1) {
    if (run % 100 === 0) await breathe(undefined, { signal });
    for (const alpha of ALPHAS) {
      const verdict = playHealthy(cell, alpha, run + 1);
      if (!verdict) break;
      fired[alpha].total += 1;
      fired[alpha].by[verdict.judge] = (fired[alpha].by[verdict.judge] ?? 0) + 1;
    }
  }
  return fired;
}

function row(
  cell: string,
  alpha: number,
  runs: number,
  { total, by }: Fired,
): JsonObject & { readonly cell: string; readonly ok: boolean } {
  const [low, high] = interval(total, runs);
  return { cell, alpha, runs, exceed: total, share: total / runs, interval: [round(low), round(high)], ok: high <= alpha, by };
}

function rareRow({ cell, alpha, runs, estimate }: ImportanceCell) {
  const { probability, standardError, stopped } = estimate;
  const half = 1.96 * standardError;
  return {
    cell,
    alpha: Number(alpha.toPrecision(4)),
    runs,
    probability: Number(probability.toPrecision(4)),
    interval: [probability - half, probability + half].map((value) => Number(Math.max(0, value).toPrecision(4))),
    ofAlpha: round(probability / alpha),
    stopped: round(stopped),
    ok: probability + half <= alpha,
  };
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
