// The command line as commander has it: what there is to say to meshops. docs/cli.md is written out of it.
import { Command, Option } from 'commander';
import { serve } from '../compose/serve.ts';
import type { Environment } from '../config/environment.ts';
import { PROCESSES, type ProcessName } from '../doctor/checks.ts';
import { auditVerify } from './audit-verify.ts';
import { configCheck } from './config-check.ts';
import { doctor } from './doctor.ts';
import { judgeExport } from './judge-export.ts';
import { judgeReplay } from './judge-replay.ts';
import { policyCheck } from './policy-check.ts';
import { policyDryRun } from './policy-dryrun.ts';

const DEFAULT_CONFIG = 'meshops.yaml';

/** Runs one command and ends the process with its exit code. */
export type Run = (work: (environment: Environment, signal: AbortSignal) => Promise<number>) => Promise<void>;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const withConfig = (command: Command): Command => command.option('-c, --config <file>', 'the configuration', DEFAULT_CONFIG);

interface Given {
  readonly config: string;
  readonly cluster?: string;
}

function serving(run: Run, what: { readonly bot: boolean; readonly worker: boolean }): (given: Given) => Promise<void> {
  return ({ config, cluster }) =>
    run(async (environment, signal) => {
      await serve({ environment, configPath: config, ...what, ...(cluster === undefined ? {} : { cluster }), signal });
      return 0;
    });
}

/** All commands; `run` is told what each does. */
export function createProgram(run: Run): Command {
  const program = new Command('meshops').description('Change a Cilium service mesh from Slack, safely.').showHelpAfterError();
  withConfig(program.command('run').description('bot and workers in one process, the bot in a thread of its own')).action(
    serving(run, { bot: true, worker: true }),
  );
  withConfig(program.command('bot').description('the bot: takes commands and clicks from Slack')).action(
    serving(run, { bot: true, worker: false }),
  );
  withConfig(program.command('worker').description('the workers: plan, apply, watch, undo'))
    .option('--cluster <name>', 'only this cluster')
    .action(serving(run, { bot: false, worker: true }));
  withConfig(program.command('doctor').description('checks every connection, right and version that meshops needs'))
    .addOption(
      new Option('--process <name>', 'whose rights and ways are looked at: those of bot and worker differ')
        .choices(PROCESSES)
        .default('run'),
    )
    .action(({ config, process: name }: Given & { readonly process: ProcessName }) =>
      run((environment, signal) => doctor({ environment, configPath: config, signal, print, process: name })),
    );
  const config = program.command('config').description('the configuration');
  withConfig(config.command('check').description('explains each mistake with its line').argument('[file]')).action(
    (file: string | undefined, given: Given) => run(() => configCheck(file ?? given.config, print)),
  );
  const audit = program.command('audit').description('the audit record');
  withConfig(audit.command('verify').description('walks the chain and names the first record that was changed')).action(
    ({ config: path }: Given) => run((environment, signal) => auditVerify({ environment, configPath: path, signal, print })),
  );
  const policy = program.command('policy').description('network policies');
  policy
    .command('check')
    .description('says what policies would really do, before a server drops what it does not know')
    .argument('<files...>', 'files or folders; - for stdin')
    .option('--json', 'findings as one line of JSON')
    .option('--sarif', 'findings as SARIF 2.1.0, for pull requests')
    .action((files: string[], { json, sarif }: { readonly json?: boolean; readonly sarif?: boolean }) =>
      run((_environment, signal) =>
        policyCheck({ files, format: sarif ? 'sarif' : json ? 'json' : 'words', stdin: process.stdin, signal, print }),
      ),
    );
  const judge = program.command('judge').description('the judge');
  withConfig(judge.command('export').description('prints what the judge heard in one watch of an operation, for `judge replay`'))
    .argument('<operation>', 'its id, such as canary-1a2b3c')
    .option('--watch <number>', 'which watch; left out: the one that found harm, else the last')
    .option('--list', 'only says which watches are kept')
    .action((operation: string, given: Given & { readonly watch?: string; readonly list?: boolean }) =>
      run((environment, signal) => {
        const { config: configPath, watch, list = false } = given;
        const which = watch === undefined ? {} : { watch: Number(watch) };
        return judgeExport({ environment, configPath, operation, ...which, list, signal, print });
      }),
    );
  judge
    .command('replay')
    .description('hears a recorded watch again and explains each step')
    .argument('<file>', 'JSON lines: the settings of the judge, then its events; - for stdin')
    .option('--all', 'every event on a line of its own')
    .option('--json', 'each step as one line of JSON')
    .action((file: string, { all = false, json = false }: { readonly all?: boolean; readonly json?: boolean }) =>
      run((_environment, signal) => judgeReplay({ file, all, json, signal, print })),
    );
  policy
    .command('dryrun')
    .description('says which recorded connections a policy would drop or newly allow')
    .argument('<candidate>', 'file with one policy')
    .requiredOption('--flows <file>', 'JSON lines as `hubble observe -o jsonpb` prints them; - for stdin')
    .option('--in-force <files...>', 'files or folders with the policies that are in force', [])
    .option('--json', 'the result as one line of JSON')
    .option('--csv', 'all groups as CSV')
    .action((candidate: string, { flows, inForce, json, csv }: { flows: string; inForce: string[]; json?: boolean; csv?: boolean }) =>
      run((_environment, signal) =>
        policyDryRun({ candidate, flows, inForce, format: csv ? 'csv' : json ? 'json' : 'words', stdin: process.stdin, signal, print }),
      ),
    );
  return program;
}
