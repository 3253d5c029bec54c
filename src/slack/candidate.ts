// The buttons of a command that could mean several Services: the same command again, for the one that was pressed.

import { changeOf } from '../domain/canary/change.ts';
import { parseCommand } from '../domain/commands/parse.ts';
import { formatTargetText } from '../domain/commands/target-text.ts';
import type { Actor } from '../domain/lifecycle/actor.ts';
import type { ButtonIds } from '../domain/lifecycle/button.ts';
import { type TargetText, targetOf } from '../domain/target.ts';
import type { Answer } from './answer.ts';
import { askForChange } from './change.ts';
import type { BotDeps } from './deps.ts';
import type { Origin } from './origin.ts';
import { type Refused, refusal } from './refusals.ts';
import { type ChannelRule, isRefused } from './rules.ts';

interface Asked {
  readonly origin: Origin;
  readonly actor: Actor;
  readonly rule: ChannelRule;
}

/** Gives the command again with the candidate's name. Refused where the operation did not offer it, or its command cannot be read any more. */
export async function pressCandidate(
  deps: BotDeps,
  ids: ButtonIds,
  asked: Asked,
  later: (answer: Answer) => Promise<void>,
): Promise<Answer | Refused> {
  const { workflowId, runId, candidate } = ids;
  const target = targetOf(ids);
  const described = await deps.operations.describe({ workflowId, runId });
  const view = described.kind === 'view' ? described.view : undefined;
  if (!target || candidate === undefined || !view?.outcome?.candidates?.includes(candidate)) return refusal('ForgedButton');
  const [slash = '', ...rest] = view.text.split(' ');
  const command = parseCommand(rest.join(' '), { root: 'mesh' });
  if (command.kind !== 'canary' && command.kind !== 'promote' && command.kind !== 'ab') return refusal('ForgedButton');
  const service = { ...target, name: candidate };
  const resolved = asked.rule.resolve(service, command.kind);
  if (isRefused(resolved)) return resolved;
  const text = [slash, ...named(rest, command.service, `${target.namespace}/${candidate}`)].join(' ');
  const change = changeOf({ ...command, service });
  return askForChange(deps, { ...asked, target: resolved, command: command.kind, change, options: command.options, text }, later);
}

/** The words of the command with the first one that is its service replaced. */
function named(words: readonly string[], service: TargetText, name: string): readonly string[] {
  const at = words.findIndex((word) => word.toLowerCase() === formatTargetText(service));
  return at === -1 ? words : words.with(at, name);
}
