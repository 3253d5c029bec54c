import { INVARIANTS } from './invariants/list.ts';
import { Monitor } from './monitor.ts';
import { Performer } from './perform.ts';
import { States } from './states.ts';
import type { Schedule } from './step.ts';
import { Truth } from './truth.ts';
import { createWorld, type World } from './world/world.ts';

/** A promise that was broken, when, and in which words. */
export interface Violation {
  readonly invariant: string;
  readonly words: string;
  /** After which step (from 0); as many as there are steps: when all was over. */
  readonly step: number;
}

export interface Played {
  readonly violation: Violation | undefined;
  readonly steps: number;
  readonly states: States;
  /** Virtual ms. */
  readonly lasted: number;
}

export interface PlayOptions {
  /** Invariants that are not looked at, by name. */
  readonly without?: readonly string[];
  /** Only these are looked at. */
  readonly only?: readonly string[];
}

/** How long everything may take to come to rest when the world is well again (ms): longer than any gate, hold or freeze. */
const REST_MS = 40 * 3_600_000;
const LOOK_MS = 60_000;

/** Plays one schedule to its end. Stops at the first promise that is broken. */
export async function play(schedule: Schedule, options: PlayOptions = {}): Promise<Played> {
  const world = await createWorld(schedule.seed, schedule.world);
  const stray: unknown[] = [];
  const strayed = (error: unknown): void => void stray.push(error);
  process.on('unhandledRejection', strayed);
  try {
    return await run(world, schedule, options, stray);
  } finally {
    process.off('unhandledRejection', strayed);
    await world.temporal.dispose();
    world.time.uninstall();
  }
}

async function run(world: World, { steps }: Schedule, options: PlayOptions, stray: readonly unknown[]): Promise<Played> {
  const truth = new Truth(world);
  const performer = new Performer(world, truth);
  const states = new States();
  const invariants = INVARIANTS.filter(({ name }) => !options.without?.includes(name) && (!options.only || options.only.includes(name)));
  const monitor = new Monitor(truth, invariants, states);
  const startedAt = world.time.now;
  let found: { invariant: string; words: string } | undefined;
  const look = (atEnd = false): boolean => {
    for (const error of stray) truth.broke(`an unhandled rejection: ${String(error)}`);
    found ??= monitor.found ?? monitor.look(atEnd);
    return found !== undefined;
  };
  const ended = (step: number): Played => ({
    violation: found && { ...found, step },
    steps: Math.min(step + 1, steps.length),
    states,
    lasted: world.time.now - startedAt,
  });
  monitor.start();
  await world.time.until(world.time.now + 1_000);
  for (const [index, step] of steps.entries()) {
    performer.perform(step);
    monitor.happened();
    await world.time.until(world.time.now + step.wait, () => monitor.found !== undefined || truth.newestIsIn(step.until));
    if (look()) return ended(index);
  }
  performer.heal();
  const end = world.time.now + REST_MS;
  while (world.time.now < end) {
    await world.time.until(world.time.now + LOOK_MS, () => monitor.found !== undefined);
    if (look()) return ended(steps.length);
    if (world.temporal.runs.every(({ isOpen }) => !isOpen)) break;
  }
  await world.time.until(world.time.now + LOOK_MS, () => monitor.found !== undefined);
  await monitor.readAudit();
  look(true);
  return ended(steps.length);
}
