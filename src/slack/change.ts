// Commands that change the mesh: from what was typed to a request, and from its result to an answer.

import type { ChangeOptions, CommandName } from '../domain/commands/command.ts';
import { changedBy } from '../domain/commands/verbs.ts';
import type { Actor } from '../domain/lifecycle/actor.ts';
import type { Change, VerbName } from '../domain/lifecycle/change.ts';
import type { OperationRequest } from '../domain/lifecycle/operation.ts';
import { type Target, workflowIdOf } from '../domain/target.ts';
import { recordOf } from '../domain/verb.ts';
import { sentence } from '../domain/words/sentences.ts';
import type { BeginResult } from '../temporal/results.ts';
import { type Answer, sayPlain } from './answer.ts';
import { inBackground } from './background.ts';
import type { BotDeps } from './deps.ts';
import { declaredFor, declareEmergency } from './emergency.ts';
import { permalink } from './link.ts';
import { type Origin, requestIdOf } from './origin.ts';
import { awaitPlan, type Planned, PRIVATE_MS, refusedAnswer } from './planning.ts';
import { beginAnswer, settledAnswer } from './result-words.ts';
import type { ChannelRule } from './rules.ts';

/** How long after the command its operation may still begin. Nobody expects a change that comes later. Milliseconds. */
const VALID_MS = 60_000;

export interface Asked {
  readonly origin: Origin;
  readonly actor: Actor;
  readonly rule: ChannelRule;
  readonly target: Target;
  /** The command that was given: gates and limits depend on it. */
  readonly command: CommandName;
  /** Whose way back it is, where several verbs have the same one. Left out: the command says it. */
  readonly wayBackOf?: VerbName;
  readonly change: Change;
  readonly options: ChangeOptions;
  /** What the person typed, with the command's name. */
  readonly text: string;
}

/** Starts the operation before Slack is answered, so that the answer is what happened. `later` tells the truth about an unconfirmed one. */
export async function askForChange(deps: BotDeps, asked: Asked, later: (answer: Answer) => Promise<void>): Promise<Answer> {
  if (!asked.actor.kubernetes) {
    deps.meter.refused('NoIdentity');
    return sayPlain(sentence('NoIdentity', { email: asked.actor.id }));
  }
  const id = await newId(deps, asked);
  const { origin, actor, target, text, options } = asked;
  const reason = options.emergency;
  const declaring = reason === undefined ? undefined : { origin, actor, target, text, opId: id.opId, reason };
  const declared = declaring && (await declareEmergency(deps, declaring));
  if (declared && 'kind' in declared) {
    deps.meter.refused(declared.code);
    deps.refusals.note({ origin, code: declared.code, actor: actor.id, data: { text, channel: origin.channelId }, target });
    return sayPlain(declared.words);
  }
  const request = { ...requestOf(asked, deps.now()), ...id, ...declared };
  const result = await deps.operations.begin(request, {
    onSettled: async (truth) => {
      if (truth.kind !== 'unknown' && truth.kind !== 'ended') remember(deps, asked.origin, truth, request);
      const link = truth.kind === 'busy' ? await permalink(deps.web, truth.view.message) : undefined;
      await later(settledAnswer(truth, request, link));
    },
  });
  if (result.kind !== 'not-confirmed') remember(deps, asked.origin, result, request);
  if (result.kind === 'begun' && result.begun.continued && declaring) await declaredFor(deps, declaring, result.begun.opId);
  if (result.kind === 'begun' && !result.begun.continued) {
    const refused = await refusedInPlanning(deps, request, result.begun, later);
    if (refused) return refused;
  }
  const link = result.kind === 'busy' ? await permalink(deps.web, result.view.message) : undefined;
  return beginAnswer(result, request, link);
}

/** The database sees to it that no other operation has this id. Without it the operation takes a longer one of its own. */
async function newId(deps: BotDeps, { command, wayBackOf }: Asked): Promise<{ readonly opId?: string }> {
  try {
    return { opId: await deps.requests.newOperationId(wayBackOf ?? changedBy(command), deps.now()) };
  } catch (error) {
    deps.log.warn({ err: error }, 'the database gave no id for an operation');
    return {};
  }
}

/** The refusal of a plan that was known in time. One that comes later is told later, since nothing of it stands in the channel. */
async function refusedInPlanning(
  deps: BotDeps,
  request: OperationRequest,
  { runId }: { readonly runId: string },
  later: (answer: Answer) => Promise<void>,
): Promise<Answer | undefined> {
  const at = { workflowId: workflowIdOf(request.target), runId };
  const answerOf = (planned: Planned | undefined): Answer | undefined => {
    if (planned?.kind !== 'refused') return undefined;
    deps.meter.refused(planned.code);
    return refusedAnswer(planned.view);
  };
  const planned = await awaitPlan(deps, at, request.requestedAt + PRIVATE_MS);
  if (planned) return answerOf(planned);
  inBackground(deps, 'a refusal of a plan could not be said', async () => {
    const refused = answerOf(await awaitPlan(deps, at, request.validUntil));
    if (refused) await later(refused);
  });
  return undefined;
}

function requestOf(asked: Asked, now: number): OperationRequest {
  const { origin, actor, target, change, options, rule, command, wayBackOf } = asked;
  return {
    requestId: requestIdOf(origin),
    verb: wayBackOf ?? changedBy(command),
    target,
    change,
    text: asked.text,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    requester: actor,
    channel: { teamId: origin.teamId, channelId: origin.channelId },
    requestedAt: now,
    validUntil: now + VALID_MS,
    // A way back that comes late, or raises somebody's share, meets the gates of its verb.
    settings: rule.settings(target, wayBackOf === undefined ? command : recordOf(wayBackOf).command, options),
  };
}

/** The database's memory and the record of a refusal: the person's answer does not wait for them. */
function remember(
  deps: BotDeps,
  origin: Origin,
  result: Exclude<BeginResult, { kind: 'not-confirmed' }>,
  { requester, target, text }: OperationRequest,
): void {
  if (result.kind === 'begun') {
    const { opId, runId } = result.begun;
    inBackground(deps, 'the answer to a request could not be recorded', () =>
      deps.audit.started({ opId, workflowId: workflowIdOf(target), runId, target, at: deps.now() }),
    );
    return;
  }
  const code = result.kind === 'busy' ? 'Busy' : result.code;
  deps.meter.refused(code);
  const opId = result.kind === 'busy' ? result.view.opId : '';
  deps.refusals.note({ origin, code, actor: requester.id, data: { text, channel: origin.channelId }, opId, target });
}
