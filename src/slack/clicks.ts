// Buttons: what a click asks for, who clicked, what the server's state says to it.

import type { Actor } from '../domain/lifecycle/actor.ts';
import { ACTION, type ActionId, type ButtonIds, parseButton } from '../domain/lifecycle/button.ts';
import { type Choice, isFree } from '../domain/lifecycle/gate.ts';
import type { MessageRef, OperationView } from '../domain/lifecycle/operation.ts';
import { targetOf } from '../domain/target.ts';
import { helpMessage } from '../messages/help.ts';
import type { Admission } from './admission.ts';
import { type Answer, sayPlain } from './answer.ts';
import { pressCandidate } from './candidate.ts';
import type { BotDeps } from './deps.ts';
import { historyAnswer } from './history.ts';
import { keepLost } from './lost.ts';
import { pressNext } from './next.ts';
import type { Origin } from './origin.ts';
import { type Refused, refusal } from './refusals.ts';
import { decideAnswer } from './result-words.ts';
import { type ChannelRule, isRefused } from './rules.ts';
import { statusOfOne } from './status.ts';
import { stop } from './stop.ts';

export interface Click {
  readonly origin: Origin;
  readonly action: ActionId;
  readonly value: string;
  /** From the modal of a rejection. */
  readonly reason?: string;
  /** The message that the button stands in. */
  readonly message?: MessageRef;
}

type Later = (answer: Answer) => Promise<void>;

const CHOICES: Partial<Readonly<Record<ActionId, Choice>>> = {
  [ACTION.approve]: 'approve',
  [ACTION.reject]: 'reject',
  [ACTION.extend]: 'extend',
  [ACTION.continue]: 'continue',
  [ACTION.rollback]: 'rollback',
  [ACTION.adopt]: 'adopt',
  [ACTION.restore]: 'restore',
  [ACTION.leave]: 'leave',
};

const READS: readonly ActionId[] = [ACTION.help, ACTION.status, ACTION.history];
/** Reasons that are the same for every click of this person: said once in a minute, since each answer is a call of Slack. */
const SAID_ONCE: readonly string[] = [
  'TooMany',
  'Guest',
  'Stranger',
  'Bot',
  'Deactivated',
  'NoEmail',
  'OddEmail',
  'UnknownUser',
  'OtherTeam',
  'OtherApp',
];
/** Stops a change, or takes it back. */
const SAFE: readonly ActionId[] = [ACTION.abort, ACTION.reject, ACTION.rollback, ACTION.nextRollback];

export function isSafe(action: ActionId): boolean {
  return SAFE.includes(action);
}

/** What the clicker is told, and nobody else; undefined when the operation's own message says it all. */
export async function answerClick(deps: BotDeps, admission: Admission, click: Click, later: Later): Promise<Answer | undefined> {
  const { action, origin } = click;
  const reads = READS.includes(action);
  const admitted = await admission.admit(origin, { claim: action !== ACTION.help, fresh: !reads, safe: isSafe(action) });
  if (admitted.kind === 'refused') return refuseClick(deps, click, admitted);
  if (admitted.kind === 'replayed') {
    deps.meter.refused('Replayed');
    return undefined;
  }
  if (action === ACTION.help) return helpMessage(deps.config().slack.commands);
  const ids = parseButton(click.value);
  if (!ids) return refuseClick(deps, click, refusal('ForgedButton'));
  const { actor, rule } = admitted;
  const outside = outsideOf(ids, action, rule);
  if (outside) return refuseClick(deps, click, outside);
  const choice = CHOICES[action];
  if (choice && ids.gateId && ids.planHash) return decide(deps, ids, choice, click, actor);
  return other(deps, ids, click, { actor, rule }, later);
}

/** What the channel may name now, not when the message was posted there. Nothing keeps people from stopping a change. */
function outsideOf(ids: ButtonIds, action: ActionId, rule: ChannelRule): Refused | undefined {
  const target = targetOf(ids);
  if (!target) return refusal('ForgedButton');
  const within = rule.resolve(target, 'help');
  return isRefused(within) && !isSafe(action) ? within : undefined;
}

async function decide(deps: BotDeps, ids: ButtonIds, choice: Choice, click: Click, actor: Actor): Promise<Answer | undefined> {
  const { opId, runId, workflowId, gateId = '', planHash = '' } = ids;
  const reason = click.reason === undefined ? {} : { reason: click.reason };
  const named = await isNamed(deps, ids, choice, actor);
  if (named === 'unknown') return refuseClick(deps, click, refusal('SlackSilent'));
  const result = await deps.operations.decide(workflowId, { opId, runId, gateId, planHash, choice, actor, ...reason, ...named });
  if (result.kind === 'refused') {
    // The message invited a click that does not count (any more): it shows what is true now.
    if (result.view) await refresh(deps, result.view);
    recordRefusal(deps, click, result.code, actor.id, ids);
  }
  return decideAnswer(result, result.kind === 'over' ? await showEnd(deps, ids) : undefined);
}

/**
 * Who may answer is looked up at the click: somebody may have come or gone since it was asked. Where Slack does not say, nothing goes forward; to
 * reject counts as it was known.
 */
async function isNamed(
  { operations, people }: BotDeps,
  { workflowId, runId, gateId }: ButtonIds,
  choice: Choice,
  actor: Actor,
): Promise<{ readonly isNamed?: boolean } | 'unknown'> {
  if (isFree(choice)) return {};
  const described = await operations.describe({ workflowId, runId });
  const gate = described.kind === 'view' ? described.view.gate : undefined;
  if (!gate?.calls || gate.gateId !== gateId) return {};
  return people.isNamed(actor, gate.calls).then(
    (named) => ({ isNamed: named }),
    () => (choice === 'reject' ? {} : 'unknown'),
  );
}

async function other(
  deps: BotDeps,
  ids: ButtonIds,
  click: Click,
  who: { readonly actor: Actor; readonly rule: ChannelRule },
  later: Later,
): Promise<Answer | undefined> {
  const target = targetOf(ids);
  if (!target) return refuseClick(deps, click, refusal('ForgedButton'));
  switch (click.action) {
    case ACTION.status: {
      const allowed = who.rule.resolve(target, 'status');
      return isRefused(allowed) ? refuseClick(deps, click, allowed) : statusOfOne(deps, allowed, who.actor);
    }
    case ACTION.history: {
      const allowed = who.rule.resolve(target, 'history');
      return isRefused(allowed) ? refuseClick(deps, click, allowed) : historyAnswer(deps, allowed, who.rule);
    }
    case ACTION.nextZero:
    case ACTION.nextPromote:
    case ACTION.nextRollback: {
      const pressed = await pressNext(deps, ids, click.action, { origin: click.origin, ...who, target }, later);
      if (!('kind' in pressed)) return pressed;
      if (click.message) await deps.retire(click.message);
      return refuseClick(deps, click, pressed);
    }
    case ACTION.candidate1:
    case ACTION.candidate2:
    case ACTION.candidate3:
    case ACTION.candidate4:
    case ACTION.candidate5: {
      const pressed = await pressCandidate(deps, ids, { origin: click.origin, ...who }, later);
      return 'kind' in pressed ? refuseClick(deps, click, pressed) : pressed;
    }
    case ACTION.keep: {
      const kept = await keepLost(deps, { target, opId: ids.opId }, who.actor);
      return 'kind' in kept ? refuseClick(deps, click, kept) : kept;
    }
    case ACTION.abort:
    case ACTION.rollback: {
      const forbidden = who.rule.refuse('abort');
      if (forbidden) return refuseClick(deps, click, forbidden);
      const rollback = click.action === ACTION.rollback ? ({ rollback: true } as const) : {};
      const answer = await stop(deps, ids, ids.opId, { actor: who.actor, reason: click.reason ?? 'button', ...rollback });
      if (answer.ended) await showEnd(deps, ids);
      return answer;
    }
    case ACTION.approve:
    case ACTION.reject:
    case ACTION.extend:
    case ACTION.continue:
    case ACTION.adopt:
    case ACTION.restore:
    case ACTION.leave:
    case ACTION.help:
      return refuseClick(deps, click, refusal('ForgedButton'));
    default:
      return click.action satisfies never;
  }
}

/** Brings the message of an operation that is over up to date; returns the sentence of its outcome. */
async function showEnd(deps: BotDeps, ids: ButtonIds): Promise<string | undefined> {
  const described = await deps.operations.describe({ workflowId: ids.workflowId, runId: ids.runId });
  if (described.kind === 'view') {
    await refresh(deps, described.view);
    await retireOld(deps, described.view);
    return described.view.outcome?.words;
  }
  return (await deps.audit.operation(ids.opId).catch(() => undefined))?.words;
}

/** A message that was rendered anew offers what its own operation would: not where another one has completed since. */
async function retireOld(deps: BotDeps, { opId, verb, target, message }: OperationView): Promise<void> {
  const last = await deps.audit.lastCompleted(target, verb).catch(() => undefined);
  if (message && last && last.opId !== opId) await deps.retire(message);
}

async function refresh(deps: BotDeps, view: Parameters<BotDeps['refresh']>[0]): Promise<void> {
  try {
    await deps.refresh(view);
  } catch (error) {
    deps.log.warn({ err: error, opId: view.opId }, 'a stale message could not be brought up to date');
  }
}

/** Says why a click counts for nothing, and records that. */
export function refuseClick(deps: BotDeps, click: Click, refused: Refused): Answer | undefined {
  const first = recordRefusal(deps, click, refused.code, click.origin.userId, parseButton(click.value));
  return first || !SAID_ONCE.includes(refused.code) ? sayPlain(refused.words) : undefined;
}

function recordRefusal(deps: BotDeps, click: Click, code: string, actor: string, ids: ButtonIds | undefined): boolean {
  deps.meter.refused(code);
  const target = ids && targetOf(ids);
  const data = { click: click.action, channel: click.origin.channelId };
  return deps.refusals.note({ origin: click.origin, code, actor, data, opId: ids?.opId ?? '', ...(target ? { target } : {}) });
}
