import { generate } from './generate.ts';
import { type PlayOptions, play, type Violation } from './simulate.ts';
import { States } from './states.ts';

/** Seeds from `first` on, to be played by a process of its own. */
export interface Order extends PlayOptions {
  readonly first: number;
  readonly count: number;
}

/** What came of them. */
export interface Report {
  /** The first seed of them. */
  readonly first: number;
  readonly runs: number;
  readonly steps: number;
  readonly states: readonly (readonly [string, number])[];
  readonly violations: readonly (Violation & { readonly seed: number })[];
}

async function playAll({ first, count, ...options }: Order): Promise<Report> {
  const states = new States();
  const violations: (Violation & { seed: number })[] = [];
  let steps = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const played = await play(generate(seed), options);
    steps += played.steps;
    states.add(played.states);
    if (played.violation) violations.push({ ...played.violation, seed });
  }
  return { first, runs: count, steps, states: states.entries(), violations };
}

// Nobody reads the stack of an expected failure, and to note it takes longer than the failure itself.
Error.stackTraceLimit = 0;
process.on('disconnect', () => process.exit());
// An interruption is for the one who gave the order, who still wants to know what came of it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('message', (order: Order) => {
  playAll(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      process.stderr.write(`seeds ${order.first} and on: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
