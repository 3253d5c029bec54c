// The policy verbs: one place that says which handler takes which.
import type { PolicyCommand } from '../../domain/command.ts';
import type { Answer } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { check } from './check.ts';
import { dryRunCommand } from './dry-run.ts';
import { bootstrap, enforce, relax } from './enforce.ts';
import { explain } from './explain.ts';
import { learn } from './learn.ts';
import type { Later, PolicyAsked } from './parts.ts';
import { policyStatus } from './status.ts';

/** The answer to one policy command. `later` tells what is known only afterwards. */
export function answerPolicy(deps: BotDeps, asked: PolicyAsked, command: PolicyCommand, later: Later): Promise<Answer> {
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
