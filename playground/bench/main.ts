import { cpus } from 'node:os';
import { Command } from 'commander';
import { reasonOf } from '../cluster/failure.ts';
import { progressPrinter } from '../cluster/progress.ts';
import { ack } from './ack.ts';
import type { Bench } from './bench.ts';
import { detection } from './detection.ts';
import { encryption } from './encryption.ts';
import { falseRollback } from './false-rollback.ts';
import { fleet } from './fleet.ts';
import { history } from './history.ts';
import { hostile } from './hostile.ts';
import { judge } from './judge.ts';
import { payloads } from './payloads.ts';
import { policy } from './policy.ts';
import { recording } from './recording.ts';
import { rollback } from './rollback.ts';
import { stages } from './stages.ts';

/** `npm run bench -- list | <name> [--json]`: measures, and prints figures. */
const BENCHES: readonly Bench[] = [
  ack,
  detection,
  encryption,
  falseRollback,
  fleet,
  history,
  hostile,
  judge,
  payloads,
  policy,
  recording,
  rollback,
  stages,
];

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('Stopped.')));
process.once('SIGTERM', () => interrupted.abort(new Error('Stopped.')));

const program = new Command('npm run bench --')
  .description('Measures meshops on this machine. Figures of one machine compare only within one run.')
  .argument('<name>', 'name of a bench, or `list`')
  .option('--json', 'one JSON object on one line')
  .option('--runs <n>', 'fewer or more repetitions than usual, where a bench has any', Number)
  .option('--seed <n>', 'another draw, where a bench draws anything by chance', Number);

program.action(async (name: string, { json, runs, seed }: { readonly json?: boolean; readonly runs?: number; readonly seed?: number }) => {
  if (name === 'list') {
    for (const bench of BENCHES) process.stdout.write(`${bench.name.padEnd(12)} ${bench.what}\n`);
    return;
  }
  const bench = BENCHES.find((one) => one.name === name);
  if (!bench) return program.error(`There is no bench ${name}. \`npm run bench -- list\` shows them all.`, { exitCode: 2 });
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0))
    return program.error('--runs takes a whole number above 0.', { exitCode: 2 });
  if (seed !== undefined && !Number.isInteger(seed)) return program.error('--seed takes a whole number.', { exitCode: 2 });
  const figures = await bench.run({
    signal: interrupted.signal,
    progress: progressPrinter(process.stderr),
    ...(runs && { runs }),
    ...(seed !== undefined && { seed }),
  });
  const result = { bench: bench.name, cores: cpus().length, node: process.version, ...figures };
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, undefined, 2)}\n`);
});

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
});
