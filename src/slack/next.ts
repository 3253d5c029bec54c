// The buttons of an operation that is over: a new operation on its target, as long as it is the last one that has completed there.

import { ACTION, type ButtonIds } from '../domain/button.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import { verbIn, WAY_BACK } from '../domain/verbs.ts';
import { alreadyBack } from '../domain/way-back.ts';
import type { Answer } from './answer.ts';
import { askForChange } from './change.ts';
import type { BotDeps } from './deps.ts';
import { type Refused, refusalOf } from './refusals.ts';
import { begin, type RollbackAsked } from './rollback.ts';
import { isRefused } from './rules.ts';

export type NextAction = typeof ACTION.nextPromote | typeof ACTION.nextRollback | typeof ACTION.nextZero;

type Later = (answer: Answer) => Promise<void>;
type Asked = Omit<RollbackAsked, 'text'>;

/** Asks for what the button stands for. A refusal says why the button holds no more. */
export async function pressNext(deps: BotDeps, ids: ButtonIds, action: NextAction, asked: Asked, later: Later): Promise<Answer | Refused> {
  const verb = verbIn(ids.opId) ?? 'canary';
  const command = action === ACTION.nextRollback ? WAY_BACK[verb] : action === ACTION.nextPromote ? 'promote' : 'canary';
  const target = asked.rule.resolve(asked.target, command);
  if (isRefused(target)) return target;
  const stale = await whyStale(deps, ids, action, target);
  if (stale) return stale;
  const { mesh, policy } = deps.config().slack.commands;
  const name = formatTarget(target);
  if (action === ACTION.nextRollback) {
    const text = verb === 'policy' ? `${policy} relax ${name}` : `${mesh} rollback ${name}`;
    return begin(deps, { ...asked, target, text }, verb, ids.opId, later);
  }
  const isZero = action === ACTION.nextZero;
  const change = isZero ? ({ kind: 'shift', percent: 0 } as const) : ({ kind: 'shift', percent: 100, of: ids.opId } as const);
  const text = isZero ? `${mesh} canary ${name} 0%` : `${mesh} promote ${name}`;
  return askForChange(deps, { ...asked, target, command: isZero ? 'canary' : 'promote', change, options: {}, text }, later);
}

/** Why the button holds no more, or undefined. The plan looks again: between this look and the start another one may complete. */
async function whyStale(deps: BotDeps, ids: ButtonIds, action: NextAction, target: Target): Promise<Refused | undefined> {
  const verb = verbIn(ids.opId) ?? 'canary';
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
  if (last?.isWayBack) return refusalOf(alreadyBack(target.name, last));
  return refusalOf(
    last
      ? { code: 'NotTheLast', parameters: { opId: ids.opId, last: last.opId } }
      : { code: 'NotRecorded', parameters: { opId: ids.opId } },
  );
}
