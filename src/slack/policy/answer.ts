// The policy verbs: one place that says which handler takes which.
import type { PolicyCommand } from '../../domain/command.ts';
import type { Answer } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { bootstrap, enforce, relax } from './enforce.ts';
import type { Later, PolicyAsked } from './parts.ts';

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
    default:
      throw new Error('soon');
  }
}
