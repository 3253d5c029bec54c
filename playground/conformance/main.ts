import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Preset } from '../cilium/delays.ts';
import { reasonOf } from '../cluster/failure.ts';
import { progressPrinter } from '../cluster/progress.ts';
import { whyNotReal } from '../real/able.ts';
import { isInside } from '../real/enter.ts';
import { enterReal } from '../real/start.ts';
import { compare, tableOf } from './compare.ts';
import { type Summary, summarise } from './summary.ts';
import { recordIn } from './world.ts';

/** `npm run conformance`: is the simulated Cilium like a real one? One script of situations, played in both, laid side by side. */
interface Options {
  readonly keep?: boolean;
  readonly recorded?: boolean;
  readonly preset: Preset;
  readonly jitter: string;
  readonly turns: number;
  readonly json?: boolean;
}

/** What real agents of the pinned Cilium showed when this was last recorded (`--keep`). */
const KEPT = new URL('./real.json.gz', import.meta.url);
/** The agents' own part goes to a child process, which answers by a file. */
const INSIDE_FILE = 'MESHOPS_CONFORMANCE_FILE';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error('Stopped.')));
const progress = progressPrinter(process.stderr);
const say = (text: string): void => void process.stderr.write(`  ${text}\n`);

async function summaryIn(kind: 'real' | 'simulated', { preset, jitter, turns }: Options): Promise<Summary> {
  return summarise(await recordIn({ kind, preset, jitter, turns, signal: interrupted.signal, progress, say }));
}

async function realSummary(options: Options): Promise<Summary> {
  const why = options.recorded ? 'as asked' : whyNotReal(process.env);
  if (why !== undefined) {
    say(`Real agents are not run (${why}); compared is with what was recorded of them.`);
    return JSON.parse(gunzipSync(await readFile(KEPT)).toString()) as Summary;
  }
  const file = `/tmp/meshops-conformance-${process.pid}.json`;
  const code = await enterReal({ ...process.env, [INSIDE_FILE]: file }, progress, interrupted.signal);
  if (code !== 0) throw new Error(`The real agents' part ended with exit code ${code}. Its words are above.`);
  const summary = await readFile(file, 'utf8');
  if (options.keep) await writeFile(KEPT, gzipSync(summary, { level: 9 }));
  return JSON.parse(summary) as Summary;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return value;
}

const program = new Command('npm run conformance --')
  .description(
    'Plays one script on real Cilium agents and on the simulated ones and prints in what they differ; exit code 0 if in nothing.',
  )
  .option('--recorded', 'compares with what was recorded of real agents, also where they could be run')
  .option('--keep', 'keeps what the real agents show as the new recording')
  .option('--turns <n>', 'how often a policy and a label are changed to see how long that takes', wholeNumber, 10)
  .option('--jitter <duration>', 'identity-max-jitter of both', '2s')
  .option('--json', 'the differences and both summaries as JSON')
  .addOption(new Option('--preset <name>', 'delays of the simulated Cilium').choices(['ideal', 'cluster']).default('ideal'));

program.action(async (options: Options) => {
  if (isInside(process.env)) {
    await writeFile(process.env[INSIDE_FILE] ?? '', JSON.stringify(await summaryIn('real', options)));
    return;
  }
  const real = await realSummary(options);
  const simulated = await summaryIn('simulated', options);
  const differences = compare(real, simulated);
  process.stdout.write(options.json ? `${JSON.stringify({ differences, real, simulated })}\n` : `${tableOf(differences)}\n`);
  say(`${differences.length} differences in ${Object.keys(real.situations).length} situations.`);
  process.exitCode = differences.length === 0 ? 0 : 1;
});

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
});
