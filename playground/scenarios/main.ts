import { Command, InvalidArgumentError, Option } from 'commander';
import { reasonOf } from '../cluster/failure.ts';
import { progressPrinter } from '../cluster/progress.ts';
import type { NodeCount } from '../real/addresses.ts';
import { isInside } from '../real/enter.ts';
import { realNodesOption } from '../real/options.ts';
import { enterReal, layReal } from '../real/start.ts';
import { startRig } from '../rig/rig.ts';
import { ABSENT, type Absent } from './absence.ts';
import { play } from './play.ts';
import { SCENARIOS } from './registry.ts';
import type { Report } from './report.ts';
import type { Scenario } from './scenario.ts';

/** `npm run scenario -- list | <name>`: tells one story on the real stack and prints what happened. */
interface Options {
  readonly json?: boolean;
  readonly seed: number;
  readonly runs: number;
  readonly preset: 'ideal' | 'cluster';
  readonly record?: boolean;
  readonly without?: Absent;
  readonly real?: boolean;
  readonly jitter: string;
  readonly nodes: NodeCount;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return value;
}

const HISTORIES = new URL('../../test/histories/', import.meta.url);
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('Stopped.')));
process.once('SIGTERM', () => interrupted.abort(new Error('Stopped.')));

async function run(scenarios: readonly Scenario[], options: Options): Promise<boolean> {
  const progress = progressPrinter(process.stderr);
  const { preset, seed, runs, record, without } = options;
  const { signal } = interrupted;
  const { nodes, jitter: identityMaxJitter } = options;
  const real = options.real && { real: { programs: await layReal(nodes, process.env, progress, signal), nodes, identityMaxJitter } };
  let isGood = true;
  // Real nodes take half a minute to start, so they serve one story after the other.
  for (const group of real ? [scenarios] : scenarios.map((scenario) => [scenario])) {
    const rig = await startRig({ signal, progress, preset, seed, pace: 'fast', split: true, ...group[0]?.rig, ...real });
    try {
      for (const scenario of group) {
        for (let turn = 0; turn < runs && !signal.aborted; turn += 1) {
          const report = await play(rig, scenario, {
            seed: seed + turn,
            ...(record && { record: HISTORIES }),
            ...(without && { without }),
          });
          isGood &&= report.ok;
          process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : describe(report));
        }
      }
    } finally {
      await rig.stop();
    }
  }
  return isGood;
}

function describe(report: Report): string {
  const { scenario, ok, broken, ...rest } = report;
  const lines = Object.entries(rest).map(
    ([key, value]) => `  ${key.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return `${ok ? '✓' : '✗'} ${scenario}${broken ? `: ${broken}` : ''}\n${lines.join('\n')}\n`;
}

const program = new Command('npm run scenario --')
  .description('Tells a story on the real stack and prints what happened; exit code 0 only if it ended as it must.')
  .argument('<name...>', 'names of scenarios, `all`, or `list`')
  .option('--json', 'one JSON object on one line for each run')
  .option('--seed <n>', 'chance of the story, and of the load', wholeNumber, 1)
  .option('--runs <n>', 'how many times, with rising seeds, on one stack', wholeNumber, 1)
  .option('--record', 'keep the history for the replay tests')
  .addOption(
    new Option('--without <what>', 'from the moment the story breaks the mesh this is away; Prometheus all the time').choices(ABSENT),
  )
  .option('--real', 'on real Cilium nodes, in namespaces of their own (as root)')
  .option('--jitter <duration>', "real nodes' identity-max-jitter; Cilium's own default is 30s", '2s')
  .addOption(realNodesOption())
  .addOption(new Option('--preset <name>', 'delays of the simulated Cilium').choices(['ideal', 'cluster']).default('ideal'));

program.action(async (names: readonly string[], options: Options) => {
  if (names.includes('list')) {
    for (const { name, story } of SCENARIOS) process.stdout.write(`${name.padEnd(26)} ${story}\n`);
    return;
  }
  const wanted = names.includes('all') ? SCENARIOS : names.map((name) => SCENARIOS.find((scenario) => scenario.name === name) ?? name);
  const unknown = wanted.filter((one) => typeof one === 'string');
  if (unknown.length > 0)
    program.error(`There is no scenario ${unknown.join(', ')}. \`npm run scenario -- list\` shows them all.`, { exitCode: 2 });
  if (options.real && !isInside(process.env)) {
    process.exitCode = await enterReal(process.env, progressPrinter(process.stderr), interrupted.signal);
    return;
  }
  process.exitCode = (await run(wanted as readonly Scenario[], options)) ? 0 : 1;
});

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
});
