// `--emergency "reason"`: a change that begins without the approvals of its gates, and is reviewed by two others afterwards.

import type { Actor } from '../domain/lifecycle/actor.ts';
import { type Emergency, REVIEWS, type Signer } from '../domain/lifecycle/emergency.ts';
import type { OperationRequest } from '../domain/lifecycle/operation.ts';
import { isSamePerson } from '../domain/lifecycle/person.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import { code, said } from '../domain/words/words.ts';
import { type Answer, say, sayPlain } from './answer.ts';
import type { BotDeps } from './deps.ts';
import { targetIn } from './lost.ts';
import { type Origin, requestIdOf } from './origin.ts';
import { type Refused, refusal, refusalOf } from './refusals.ts';
import { type ChannelRule, isRefused } from './rules.ts';

export type Declared = Pick<OperationRequest, 'emergency'>;

interface Asked {
  readonly origin: Origin;
  readonly actor: Actor;
  readonly target: Target;
  readonly text: string;
  readonly opId: string | undefined;
  readonly reason: string;
}

/**
 * Writes down who begins what without approval and why, before anything begins. Refused where the configuration knows no emergencies, does not name this
 * person, or nobody could account for it.
 */
export async function declareEmergency(deps: BotDeps, asked: Asked): Promise<Declared | Refused> {
  const { emergency } = deps.config();
  if (!emergency) return refusal('NoEmergency');
  const named = await deps.people.isNamed(asked.actor, emergency.who).catch(() => undefined);
  if (named === undefined) return refusal('SlackSilent');
  if (!named) return refusal('NotForEmergency');
  if (asked.opId === undefined) return refusal('NoDatabase');
  const at = deps.now();
  try {
    await write(deps, asked, asked.opId, at + emergency.reviewWithin, at);
  } catch (error) {
    deps.log.error({ err: error, opId: asked.opId }, 'an emergency could not be recorded; the command is refused');
    return refusal('NoDatabase');
  }
  const { quorum, passesFreezes } = emergency;
  return { emergency: { reason: asked.reason, quorum, ...(passesFreezes && { passesFreezes }) } };
}

/** It was taken over by an operation that runs: that is what has to be reviewed. */
export async function declaredFor(deps: BotDeps, asked: Asked, opId: string): Promise<void> {
  const until = deps.now() + (deps.config().emergency?.reviewWithin ?? 0);
  await write(deps, asked, opId, until, deps.now());
}

async function write(
  deps: BotDeps,
  { origin, actor, target, text, reason }: Asked,
  opId: string,
  until: number,
  at: number,
): Promise<void> {
  const data = { text, reason, until };
  await deps.audit.append([
    { key: `${requestIdOf(origin)}:emergency:${opId}`, at, kind: 'emergency', opId, target, actor: actor.id, data },
  ]);
  await deps.emergencies.declare({ opId, target: formatTarget(target), by: signerOf(actor), reason, at, until });
}

function signerOf({ id, name, slack }: Actor): Signer {
  return { id, name, ...(slack && { slack }) };
}

/** `/mesh review`: somebody else has looked at what was done without approval. */
export async function answerReview(
  deps: BotDeps,
  asked: {
    readonly operation: string;
    readonly words?: string;
    readonly actor: Actor;
    readonly rule: ChannelRule;
    readonly origin: Origin;
  },
): Promise<Answer> {
  const { operation, actor, rule, words } = asked;
  const one = await deps.emergencies.find(operation);
  if (!one)
    return say(`There is no emergency ${code(operation)} to review. Nothing was changed. ${code('/mesh history')} shows what happened.`);
  const target = targetIn(one);
  const allowed = target ? rule.resolve(target, 'review') : refusal('ForgedButton');
  if (isRefused(allowed)) return refuse(deps, allowed);
  const refused = await refuseReview(deps, one, actor);
  if (refused) return refuse(deps, refused);
  const at = deps.now();
  const by = signerOf(actor);
  // The record first: what is signed must be accounted for.
  const data = { by: { ...by }, ...(words !== undefined && { words }) };
  await deps.audit.append([
    { key: `${operation}:review:${actor.id}:${one.at}`, at, kind: 'review', opId: operation, target: allowed, actor: actor.id, data },
  ]);
  if (!(await deps.emergencies.sign(operation, { by, at, ...(words !== undefined && { words }) })))
    return refuse(deps, refusal('ReviewedAlready'));
  const count = Math.min(REVIEWS, one.reviews.length + 1);
  return say(
    `Signed: you have reviewed *${said(operation)}*, ${count} of ${REVIEWS}.${count < REVIEWS ? ' One more has to.' : ' That is all.'}`,
  );
}

/** Why this person may not review it, or undefined. Nobody reviews their own; where Slack does not say who is named, nobody does. */
export async function refuseReview(deps: BotDeps, { by, reviews }: Emergency, actor: Actor): Promise<Refused | undefined> {
  if (by.some((one) => isSamePerson(one, actor))) return refusal('OwnReview');
  if (reviews.some((one) => isSamePerson(one.by, actor))) return refusal('ReviewedAlready');
  const reviewers = deps.config().emergency?.reviewers;
  if (!reviewers) return refusal('NoEmergency');
  const named = await deps.people.isNamed(actor, reviewers).catch(() => undefined);
  if (named === undefined) return refusal('SlackSilent');
  return named ? undefined : refusalOf({ code: 'NotAReviewer', parameters: undefined });
}

function refuse(deps: BotDeps, refused: Refused): Answer {
  deps.meter.refused(refused.code);
  return sayPlain(refused.words);
}
