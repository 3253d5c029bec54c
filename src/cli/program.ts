// The command line as commander has it: what there is to say to meshops. docs/cli.md is written out of it. What only one command needs is imported where it
// runs: all of it has 200 MiB, which a check of a file has no use for.
import { Command, Option } from 'commander';
import type { Environment } from '../config/environment.ts';
import { PROCESSES, type ProcessName } from '../doctor/checks.ts';
import { auditExport, EXPORT_FORMATS } from './audit-export.ts';
import { configCheck } from './config-check.ts';
import type { EncryptionRead } from './encryption.ts';
import { judgeReplay } from './judge-replay.ts';
import { EXIT_WORDS } from './outcomes.ts';
import { FAIL_ON, policyCheck } from './policy-check.ts';
import { policyDryRun } from './policy-dryrun.ts';
import { policyExplain } from './policy-explain.ts';
import { policyLearn } from './policy-learn.ts';

const DEFAULT_CONFIG = 'meshops.yaml';

/** Runs one command and ends the process with its exit code. */
export type Run = (work: (environment: Environment, signal: AbortSignal) => Promise<number>) => Promise<void>;

const write = (text: string): void => void process.stdout.write(text);
const print = (line: string): void => write(`${line}\n`);
const withConfig = (command: Command): Command => command.option('-c, --config <file>', 'the configuration', DEFAULT_CONFIG);

interface Given {
  readonly config: string;
  readonly cluster?: string;
}

interface CheckGiven {
  readonly json?: boolean;
  readonly sarif?: boolean;
  readonly github?: boolean;
  readonly failOn: (typeof FAIL_ON)[number];
  readonly inForce: string[];
  readonly allowEmpty?: boolean;
}

interface ExplainGiven {
  readonly flows: string;
  readonly inForce: string[];
  readonly namespace?: string;
  readonly clusterName?: string;
}

interface LearnGiven {
  readonly flows: string;
  readonly namespace: string;
  readonly selector: string[];
  readonly name?: string;
  readonly clusterName?: string;
}

interface DryRunGiven {
  readonly flows: string;
  readonly inForce: string[];
  readonly namespace?: string;
  readonly clusterName?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

function serving(run: Run, what: { readonly bot: boolean; readonly worker: boolean }): (given: Given) => Promise<void> {
  return ({ config, cluster }) =>
    run(async (environment, signal) => {
      const { serve } = await import('../compose/serve.ts');
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
      run(async (environment, signal) =>
        (await import('./doctor.ts')).doctor({ environment, configPath: config, signal, print, process: name }),
      ),
    );
  const config = program.command('config').description('the configuration');
  withConfig(config.command('check').description('explains each mistake with its line').argument('[file]')).action(
    (file: string | undefined, given: Given) => run(() => configCheck(file ?? given.config, print)),
  );
  const audit = program.command('audit').description('the audit record');
  withConfig(audit.command('verify').description('walks the chain and names the first record that was changed'))
    .option('--head <hash>', 'a hash that was copied elsewhere: fails when no record has it, as when the end was cut off')
    .action(({ config: path, head }: Given & { readonly head?: string }) =>
      run(async (environment, signal) =>
        (await import('./audit-verify.ts')).auditVerify({
          environment,
          configPath: path,
          signal,
          print,
          ...(head !== undefined && { head }),
        }),
      ),
    );
  withConfig(audit.command('export').description('writes the audit record out, oldest first'))
    .option('--since <when>', 'a duration such as 7d, or a time such as 2026-01-31T12:00:00Z; left out: everything')
    .addOption(
      new Option('--format <name>', 'JSON lines can be verified, CSV is read by spreadsheets').choices(EXPORT_FORMATS).default('jsonl'),
    )
    .action(({ config: path, since, format }: Given & { readonly since?: string; readonly format: (typeof EXPORT_FORMATS)[number] }) =>
      run((environment, signal) =>
        auditExport({ environment, configPath: path, signal, print, format, now: Date.now, write, ...(since !== undefined && { since }) }),
      ),
    );
  const policy = program.command('policy').description('network policies');
  policy
    .command('check')
    .description('says what policies would really do, before a server drops what it does not know')
    .argument('<files...>', 'files or folders; - for stdin')
    .option('--json', 'findings as one line of JSON')
    .option('--sarif', 'findings as SARIF 2.1.0, for pull requests')
    .option('--github', 'findings as annotations of GitHub Actions')
    .addOption(new Option('--fail-on <severity>', 'the least that fails the check').choices(FAIL_ON).default('error'))
    .option('--in-force <files...>', 'files or folders with policies that are there beside these', [])
    .option('--allow-empty', 'nothing to check is no failure: for hooks that are given whatever was changed')
    .addHelpText('after', EXIT_WORDS)
    .action((files: string[], { json, sarif, github, ...given }: CheckGiven) =>
      run((_environment, signal) =>
        policyCheck({
          ...given,
          files,
          format: sarif ? 'sarif' : json ? 'json' : github ? 'github' : 'words',
          stdin: process.stdin,
          signal,
          print,
        }),
      ),
    );
  const encryption = program.command('encryption').description('transparent encryption between nodes');
  const reading = (what: EncryptionRead, description: string): void =>
    void withConfig(encryption.command(what).description(description).argument('[cluster]', 'left out: the only one of the configuration'))
      .option('--json', 'everything that was read and found as one line of JSON')
      .action((cluster: string | undefined, { config: configPath, json = false }: Given & { readonly json?: boolean }) =>
        run(async (_environment, signal) =>
          (await import('./encryption.ts')).encryptionRead({
            configPath,
            what,
            json,
            signal,
            print,
            ...(cluster !== undefined && { cluster }),
          }),
        ),
      );
  reading('status', 'says what encrypts the traffic between nodes, and what does not agree');
  reading('advise', 'says which kind of encryption suits a cluster, why, and what is in the way');
  const judge = program.command('judge').description('the judge');
  withConfig(judge.command('export').description('prints what the judge heard in one watch of an operation, for `judge replay`'))
    .argument('<operation>', 'its id, such as canary-1a2b3c')
    .option('--watch <number>', 'which watch; left out: the one that found harm, else the last')
    .option('--list', 'only says which watches are kept')
    .action((operation: string, given: Given & { readonly watch?: string; readonly list?: boolean }) =>
      run(async (environment, signal) => {
        const { judgeExport } = await import('./judge-export.ts');
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
    .requiredOption('--flows <file>', 'a recording of Hubble: JSON in any form, also packed or out of a log; - for stdin')
    .option('--in-force <files...>', 'files or folders with the policies that are in force', [])
    .option('--namespace <name>', 'where policies that name no namespace go')
    .option('--cluster-name <name>', "Cilium's name of the cluster; left out: as the recording says")
    .option('--json', 'the result as one line of JSON')
    .option('--csv', 'all groups as CSV')
    .addHelpText('after', EXIT_WORDS)
    .action((candidate: string, { json, csv, ...given }: DryRunGiven) =>
      run((_environment, signal) =>
        policyDryRun({ ...given, candidate, format: csv ? 'csv' : json ? 'json' : 'words', stdin: process.stdin, signal, print }),
      ),
    );
  policy
    .command('learn')
    .description('proposes a policy from what was recorded of a workload')
    .requiredOption('--flows <file>', 'a recording of Hubble: JSON in any form, also packed or out of a log; - for stdin')
    .requiredOption('--namespace <name>', 'where the pods are')
    .requiredOption('--selector <labels...>', 'labels that all its pods have, key=value')
    .option('--name <name>', 'of the policy; left out: the first value of the selector')
    .option('--cluster-name <name>', "Cilium's name of the cluster; left out: as the recording says")
    .addHelpText('after', EXIT_WORDS)
    .action((given: LearnGiven) => run((_environment, signal) => policyLearn({ ...given, stdin: process.stdin, signal, print })));
  policy
    .command('explain')
    .description('says of recorded connections which rule decides each, and why')
    .requiredOption('--flows <file>', 'a recording of Hubble: JSON in any form, also packed or out of a log; - for stdin')
    .requiredOption('--in-force <files...>', 'files or folders with the policies that are in force')
    .option('--namespace <name>', 'where policies that name no namespace go')
    .option('--cluster-name <name>', "Cilium's name of the cluster; left out: as the recording says")
    .addHelpText('after', EXIT_WORDS)
    .action((given: ExplainGiven) => run((_environment, signal) => policyExplain({ ...given, stdin: process.stdin, signal, print })));
  return program;
}
