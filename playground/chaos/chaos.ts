import { generate } from './generate.ts';
import { INVARIANTS } from './invariants/list.ts';
import { shrink } from './shrink.ts';
import { type PlayOptions, play, type Violation } from './simulate.ts';
import { States } from './states.ts';
import type { Schedule } from './step.ts';

export interface Found extends Violation {
  readonly seed: number;
  /** After how many runs. */
  readonly runs: number;
  /** The shortest schedule that was found. */
  readonly schedule: Schedule;
}

export interface ChaosOptions extends PlayOptions {
  readonly runs: number;
  readonly seed: number;
  /** Ends early after so long (ms of real time). */
  readonly forMs?: number;
  /** Goes on after a violation, and looks for others; else the first one ends it. */
  readonly goOn?: boolean;
  /** Left out: violations are shrunk. */
  readonly shrinks?: boolean;
  readonly progress?: (words: string) => void;
  readonly signal?: AbortSignal;
}

export interface ChaosResult {
  readonly runs: number;
  readonly steps: number;
  readonly violations: readonly Found[];
  readonly states: States;
  readonly ms: number;
  /** Runs in which each promise was broken first. */
  readonly broken: Readonly<Record<string, number>>;
}

/** Plays schedule after schedule, each from the next seed. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { runs, seed, forMs = Number.POSITIVE_INFINITY, shrinks = true, goOn = false, progress = () => undefined } = options;
  const startedAt = Date.now();
  const states = new States();
  const violations: Found[] = [];
  const broken: Record<string, number> = {};
  let [done, steps] = [0, 0];
  while (done < runs && Date.now() - startedAt < forMs && !options.signal?.aborted) {
    const schedule = generate(seed + done);
    const played = await play(schedule, options);
    done += 1;
    steps += played.steps;
    states.add(played.states);
    if (done % 500 === 0) progress(`${done} runs, ${violations.length} violations`);
    if (!played.violation) continue;
    const { invariant } = played.violation;
    broken[invariant] = (broken[invariant] ?? 0) + 1;
    if (violations.some((one) => one.invariant === invariant)) continue;
    violations.push({
      ...played.violation,
      seed: schedule.seed,
      runs: done,
      schedule: shrinks ? await smallest(schedule, invariant, options) : schedule,
    });
    progress(`${done} runs: ${invariant}: ${played.violation.words}`);
    if (!goOn) break;
  }
  return { runs: done, steps, violations, states, ms: Date.now() - startedAt, broken };
}

function smallest(schedule: Schedule, invariant: string, options: PlayOptions): Promise<Schedule> {
  const only = INVARIANTS.some(({ name }) => name === invariant) ? [invariant] : undefined;
  return shrink(
    schedule,
    async (candidate) => (await play(candidate, { ...options, ...(only && { only }) })).violation?.invariant === invariant,
  );
}
