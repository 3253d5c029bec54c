// The policy verbs: one place that says which handler takes which.
import type { PolicyCommand } from '../../domain/commands/command.ts';
import { type Answer, section } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { refuseRead } from '../reading.ts';
import { isRefused } from '../rules.ts';
import { check } from './check.ts';
import { dryRunCommand } from './dry-run.ts';
import { bootstrap, enforce, relax } from './enforce.ts';
import { explain } from './explain.ts';
import { learn } from './learn.ts';
import type { Later, PolicyAsked } from './parts.ts';
import { placeOf } from './place.ts';
import { refused } from './refuse.ts';
import { policyStatus } from './status.ts';

/** Commands that show what is in the cluster, and change nothing. */
const READS: readonly PolicyCommand['kind'][] = ['policy check', 'policy dryrun', 'policy learn', 'policy status'];

/** The answer to one policy command. `later` tells what is known only afterwards. */
export async function answerPolicy(deps: BotDeps, asked: PolicyAsked, command: PolicyCommand, later: Later): Promise<Answer> {
  if (!('workload' in command) || !command.workload) return answer(deps, asked, command, later);
  const placed = await placeOf(deps, asked, command.workload, command.kind);
  if (placed.kind === 'asks') return placed.answer;
  const { words, workload } = placed;
  const target = READS.includes(command.kind) ? asked.rule.resolve(workload, command.kind) : undefined;
  if (target && !isRefused(target)) {
    const unread = await refuseRead(deps, asked.actor, target, 'policies');
    if (unread) return refused(deps, asked, unread, target);
  }
  const given = await answer(deps, asked, { ...command, workload }, later);
  if (words === undefined || given.isPosted) return given;
  return { ...given, text: `${words}\n${given.text}`, blocks: [section(words), ...(given.blocks ?? [section(given.text)])].slice(0, 50) };
}

function answer(deps: BotDeps, asked: PolicyAsked, command: PolicyCommand, later: Later): Promise<Answer> {
  switch (command.kind) {
    case 'policy enforce':
    case 'policy observe':
      return enforce(deps, asked, command, later);
    case 'policy relax':
      return relax(deps, asked, command, later);
    case 'policy bootstrap':
      return bootstrap(deps, asked, command, later);
    case 'policy check':
      return check(deps, asked, command);
    case 'policy dryrun':
      return dryRunCommand(deps, asked, command, later);
    case 'policy learn':
      return learn(deps, asked, command, later);
    case 'policy explain':
      return explain(deps, asked, command);
    case 'policy status':
      return policyStatus(deps, asked, command);
    default:
      return command satisfies never;
  }
}
