// `/mesh abort`, and `/mesh rollback` of what still runs: stopping is the safe direction and needs no approval.

import type { Actor } from '../domain/lifecycle/actor.ts';
import { formatTarget, type TargetText, targetOf } from '../domain/target.ts';
import { code } from '../domain/words/words.ts';
import type { Described, OperationAt } from '../temporal/results.ts';
import { type Answer, say, sayPlain } from './answer.ts';
import type { BotDeps } from './deps.ts';
import { rollBackLost } from './lost.ts';
import { refusal } from './refusals.ts';
import { abortAnswer, alreadyOver } from './result-words.ts';
import { type ChannelRule, isRefused } from './rules.ts';

const OP_ID = /^[a-z]+-[a-z0-9]{4,}$/;

/** Stops an operation by its id or by the service it runs on. */
export async function stopByName(
  deps: BotDeps,
  asked: { readonly name: string; readonly reason?: string; readonly actor: Actor; readonly rule: ChannelRule },
): Promise<Answer> {
  const { name, rule } = asked;
  const byId = OP_ID.test(name) ? await deps.operations.find(name) : undefined;
  if (byId) {
    const target = targetOf(byId);
    const allowed = target ? rule.resolve(target, 'abort') : refusal('ForgedButton');
    return isRefused(allowed) ? sayPlain(allowed.words) : stop(deps, byId, name, asked);
  }
  const target = rule.resolve(readTarget(name), 'abort');
  if (isRefused(target)) return sayPlain(target.words);
  const running = await deps.operations.running(target);
  if (running) return stop(deps, running, formatTarget(target), asked);
  const lost = await rollBackLost(deps, { target }, asked);
  if (lost) return lost;
  return say(
    `Nothing runs on ${code(formatTarget(target))}, and there is no operation of that name. Nothing was changed. ${code('status')} lists what runs.`,
  );
}

/** Sends the abort. `name` is how the answer calls the operation; `seen`: how it was a moment ago, where that has been asked already. */
export async function stop(
  deps: BotDeps,
  at: OperationAt,
  name: string,
  by: { readonly actor: Actor; readonly reason?: string; readonly rollback?: true },
  seen?: Described,
): Promise<Answer & { readonly ended: boolean }> {
  const { actor, reason, rollback } = by;
  const [result, described] = await Promise.all([
    deps.operations.abort(at, { actor, ...(reason === undefined ? {} : { reason }), ...(rollback && { rollback }) }),
    // Nobody waits twice for a worker that does not answer; without a word of it the abort is sent all the same.
    seen ?? deps.operations.describe(at).catch(() => undefined),
  ]);
  // It has its outcome, and runs on only until that has been told and recorded: nothing stops it any more.
  if (result.kind === 'sent' && described?.kind === 'view' && described.view.phase === 'over') {
    return { ...alreadyOver(described.view), ended: true };
  }
  const target = targetOf(at);
  const lost =
    result.kind === 'over' && target ? await rollBackLost(deps, { target, ...(OP_ID.test(name) && { opId: name }) }, by) : undefined;
  return lost ? { ...lost, ended: false } : { ...abortAnswer(result, name, rollback), ended: result.kind === 'over' };
}

/** The parser has checked the form: `[cluster/][namespace/]name`. */
function readTarget(text: string): TargetText {
  const parts = text.split('/');
  const [name = '', namespace, cluster] = parts.toReversed();
  return { name, ...(namespace ? { namespace } : {}), ...(cluster ? { cluster } : {}) };
}
