import { Command } from 'commander';
import { type ChaosResult, chaos } from './chaos.ts';
import { asTest } from './print.ts';
import { keepReports, readReports } from './reports.ts';

/** `npm run chaos -- [--runs N] [--seed S] [--minutes M] [--json]`: looks for states in which a promise is broken. */
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly minutes?: number;
  readonly jobs?: number;
  readonly json?: boolean;
  readonly only?: string[];
  readonly shrink: boolean;
  readonly out?: string;
  readonly from?: string;
}

const program = new Command('npm run chaos --')
  .description('Plays random schedules of people, outages and other hands against the real workflows, activities and bot, in virtual time.')
  .option('--runs <n>', 'schedules to play', Number, 1_000)
  .option('--seed <n>', 'seed of the first one; the next has the next', Number, Math.floor(Math.random() * 1e9))
  .option('--minutes <n>', 'end after so many minutes', Number)
  .option('--jobs <n>', 'processes side by side; default: one for each processor', Number)
  .option('--only <invariant...>', 'look at these invariants alone')
  .option('--no-shrink', 'print schedules as they were found')
  .option('--out <file>', 'add what each batch of schedules came to, as JSON lines')
  .option('--from <file>', 'count what such a file holds, and play only the rest')
  .option('--json', 'one JSON object on one line');

program.action(async (options: Options) => {
  const { runs, seed, minutes, jobs, json, only, out, from } = options;
  const result = await chaos({
    runs,
    seed,
    goOn: true,
    shrinks: options.shrink,
    signal: interrupted.signal,
    progress: (words) => void process.stderr.write(`${words}\n`),
    ...(jobs !== undefined && { jobs }),
    ...(minutes !== undefined && { forMs: minutes * 60_000 }),
    ...(only && { only }),
    ...(out !== undefined && { heard: keepReports(out) }),
    ...(from !== undefined && { played: readReports(from) }),
  });
  process.stdout.write(json ? `${JSON.stringify(summaryOf(result))}\n` : wordsOf(result, seed));
  if (result.violations.length > 0) process.exitCode = 1;
});

function summaryOf({ runs, steps, violations, states, stepsPerSecond }: ChaosResult): object {
  const found = violations.map(({ seed, invariant, words, schedule }) => ({ seed, invariant, words, schedule }));
  return { runs, steps, violations: found, states: states.table(), stepsPerSecond };
}

function wordsOf(result: ChaosResult, seed: number): string {
  const { runs, steps, violations, states, ms, stepsPerSecond, broken } = result;
  const rows = Object.entries(states.table()).flatMap(([phase, faults]) =>
    Object.entries(faults).flatMap(([fault, visits]) => (visits === 0 ? [`${phase} x ${fault}`] : [])),
  );
  const found = violations.map(
    (one) =>
      `\n${one.invariant} (seed ${one.seed}, after ${one.runs} runs; ${broken[one.invariant]} in all)\n  ${one.words}\n${asTest(one.schedule, one)}\n`,
  );
  const head = `${runs} runs from seed ${seed}, ${steps} steps, ${(ms / 1_000).toFixed(1)} s, ${stepsPerSecond} steps/s, ${violations.length} promises broken`;
  return `${head}\n${found.join('')}\nnever met: ${rows.length === 0 ? 'nothing' : rows.join(', ')}\n`;
}

program.parseAsync().then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
    process.exit(2);
  },
);
