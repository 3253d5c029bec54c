import { availableParallelism } from 'node:os';
import { generate } from './generate.ts';
import { INVARIANTS } from './invariants/list.ts';
import type { Report } from './job.ts';
import { inProcesses } from './jobs.ts';
import { shrink } from './shrink.ts';
import { type PlayOptions, play, type Violation } from './simulate.ts';
import { States } from './states.ts';
import type { Schedule } from './step.ts';

export interface Found extends Violation {
  readonly seed: number;
  /** After how many runs, counted from the first seed. */
  readonly runs: number;
  /** The shortest schedule that was found. */
  readonly schedule: Schedule;
}

export interface ChaosOptions extends PlayOptions {
  readonly runs: number;
  readonly seed: number;
  /** Processes side by side; default: one for each processor. */
  readonly jobs?: number;
  /** Ends early after so long (ms of real time). */
  readonly forMs?: number;
  /** Goes on after a violation, and looks for others; else the first one ends it. */
  readonly goOn?: boolean;
  /** Left out: violations are shrunk. */
  readonly shrinks?: boolean;
  readonly progress?: (words: string) => void;
  /** Told of each batch that has been played. */
  readonly heard?: (report: Report) => void;
  /** Batches that were played before: they count, and are not played again. */
  readonly played?: readonly Report[];
  readonly signal?: AbortSignal;
}

export interface ChaosResult {
  readonly runs: number;
  readonly steps: number;
  /** The first of each promise. */
  readonly violations: readonly Found[];
  readonly states: States;
  readonly ms: number;
  /** Of those that were played now. */
  readonly stepsPerSecond: number;
  /** Runs in which each promise was broken first. */
  readonly broken: Readonly<Record<string, number>>;
}

/** Seeds that a process plays before it reports. */
const BATCH = 10;
const SAY_EVERY = 500;

/** Plays schedule after schedule, each from the next seed, in several processes. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { runs, seed, jobs = availableParallelism(), goOn = false, shrinks = true, progress = () => undefined } = options;
  const { without, only, signal } = options;
  const startedAt = Date.now();
  const deadline = startedAt + (options.forMs ?? Number.POSITIVE_INFINITY);
  const states = new States();
  const firsts = new Map<string, Report['violations'][number]>();
  const broken: Record<string, number> = {};
  let [begun, done, steps] = [0, 0, 0];
  const known = new Set((options.played ?? []).map(({ first }) => first));
  const next = () => {
    while (begun < runs && known.has(seed + begun)) begun += BATCH;
    if (begun >= runs || Date.now() > deadline || signal?.aborted || (!goOn && firsts.size > 0)) return undefined;
    const order = { first: seed + begun, count: Math.min(BATCH, runs - begun), ...(without && { without }), ...(only && { only }) };
    begun += order.count;
    return order;
  };
  const count = (report: Report): void => {
    done += report.runs;
    steps += report.steps;
    states.addAll(report.states);
    for (const violation of report.violations) {
      const { invariant, words } = violation;
      broken[invariant] = (broken[invariant] ?? 0) + 1;
      const first = firsts.get(invariant);
      if (!first) progress(`seed ${violation.seed}: ${invariant}: ${words}`);
      if (!first || violation.seed < first.seed) firsts.set(invariant, violation);
    }
    if (done % SAY_EVERY < report.runs)
      progress(`${done} runs in ${Math.round((Date.now() - startedAt) / 1_000)} s, ${firsts.size} promises broken`);
  };
  for (const report of options.played ?? []) count(report);
  const before = steps;
  await inProcesses(Math.max(1, Math.min(jobs, Math.ceil(runs / BATCH))), next, (report) => {
    options.heard?.(report);
    count(report);
  });
  const ms = Date.now() - startedAt;
  const stepsPerSecond = Math.round(((steps - before) * 1_000) / Math.max(1, ms));
  const violations: Found[] = [];
  for (const first of [...firsts.values()].toSorted((a, b) => a.seed - b.seed)) {
    const schedule = generate(first.seed);
    const shortest = shrinks && !signal?.aborted ? await smallest(schedule, first.invariant, options) : schedule;
    violations.push({ ...first, runs: first.seed - seed + 1, schedule: shortest });
  }
  return { runs: done, steps, violations, states, ms, stepsPerSecond, broken };
}

function smallest(schedule: Schedule, invariant: string, options: PlayOptions): Promise<Schedule> {
  const only = INVARIANTS.some(({ name }) => name === invariant) ? [invariant] : undefined;
  return shrink(
    schedule,
    async (candidate) => (await play(candidate, { ...options, ...(only && { only }) })).violation?.invariant === invariant,
  );
}
