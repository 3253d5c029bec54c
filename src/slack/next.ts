// The buttons of an operation that is over: a new operation on its target, as long as it is the last one that has completed there.

import { typed } from '../domain/commands/verbs.ts';
import { ACTION, type ButtonIds } from '../domain/lifecycle/button.ts';
import { type VerbName } from '../domain/lifecycle/change.ts';
import { alreadyBack } from '../domain/lifecycle/way-back.ts';
import { formatTarget, shortNameOf, type Target } from '../domain/target.ts';
import { recordOf, verbIn } from '../domain/verb.ts';
import type { Answer } from './answer.ts';
import { askForChange } from './change.ts';
import type { BotDeps } from './deps.ts';
import { type Refused, refusal, refusalOf } from './refusals.ts';
import { begin, type RollbackAsked } from './rollback.ts';
import { isRefused } from './rules.ts';

export type NextAction = typeof ACTION.nextPromote | typeof ACTION.nextRollback | typeof ACTION.nextZero;

type Later = (answer: Answer) => Promise<void>;
type Asked = Omit<RollbackAsked, 'text'>;

/** Asks for what the button stands for. A refusal says why the button holds no more. */
export async function pressNext(deps: BotDeps, ids: ButtonIds, action: NextAction, asked: Asked, later: Later): Promise<Answer | Refused> {
  const verb = verbIn(ids.opId);
  if (!verb) return refusal('ForgedButton');
  const { wayBack, onwards } = recordOf(verb);
  const next = action === ACTION.nextRollback ? undefined : onwards[action === ACTION.nextPromote ? 'promote' : 'zero'];
  if (!next && action !== ACTION.nextRollback) return refusal('ForgedButton');
  const { command, behind } = next ?? { command: wayBack, behind: (name: string) => name };
  const target = asked.rule.resolve(asked.target, command);
  if (isRefused(target)) return target;
  const stale = await whyStale(deps, { ids, action, verb }, target);
  if (stale) return stale;
  const text = typed(deps.config().slack.commands, command, behind(formatTarget(target)));
  if (!next) return begin(deps, { ...asked, target, text }, verb, ids.opId, later);
  return askForChange(deps, { ...asked, target, command, change: next.change(ids.opId), options: {}, text }, later);
}

interface Pressed {
  readonly ids: ButtonIds;
  readonly action: NextAction;
  readonly verb: VerbName;
}

/** Why the button holds no more, or undefined. The plan looks again: between this look and the start another one may complete. */
async function whyStale(deps: BotDeps, { ids, action, verb }: Pressed, target: Target): Promise<Refused | undefined> {
  const [running, last, own] = await Promise.all([
    deps.operations.running(target),
    deps.audit.lastCompleted(target, verb),
    deps.audit.operation(ids.opId),
  ]);
  if (running)
    return running.runId === ids.runId ? undefined : refusalOf({ code: 'TargetTaken', parameters: { target: formatTarget(target) } });
  // 0% is offered by an operation that was rolled back: it holds until something completes after that.
  if (action === ACTION.nextZero) {
    if (last?.endedAt === undefined || last.endedAt <= (own?.endedAt ?? 0)) return undefined;
    return refusalOf({ code: 'NotTheLast', parameters: { opId: ids.opId, last: last.opId } });
  }
  if (last?.opId === ids.opId && !last.isWayBack) return undefined;
  if (last?.isWayBack) return refusalOf(alreadyBack(shortNameOf(target), last));
  return refusalOf(
    last
      ? { code: 'NotTheLast', parameters: { opId: ids.opId, last: last.opId } }
      : { code: 'NotRecorded', parameters: { opId: ids.opId } },
  );
}
