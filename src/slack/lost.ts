// Operations whose run is gone without an outcome: nobody watches what they changed, and any way of stopping rolls it back.

import type { KnownOperation } from '../audit/log.ts';
import { settingsFor } from '../domain/config/use.ts';
import type { Actor } from '../domain/lifecycle/actor.ts';
import { type LostOperation, recoveryRequest } from '../domain/lifecycle/lost.ts';
import { isSamePerson } from '../domain/lifecycle/person.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import { recordOf } from '../domain/verb.ts';
import { code, moment, said } from '../domain/words/words.ts';
import type { Fate } from '../temporal/fate.ts';
import { type Answer, say, sayPlain } from './answer.ts';
import { inBackground } from './background.ts';
import type { BotDeps } from './deps.ts';
import { type Refused, refusal, wordsFor } from './refusals.ts';

export interface Lost {
  readonly known: KnownOperation;
  readonly fate: Extract<Fate, { kind: 'lost' }>;
}

/** More are never looked into for one answer. */
const MOST = 20;

export interface LostDeps {
  readonly audit: Pick<BotDeps['audit'], 'open' | 'lost'>;
  readonly operations: Pick<BotDeps['operations'], 'fate' | 'listRunning'>;
}

/** The lost operations on a target, or on all, but for those that another has replaced since: nothing of them is in place. Throws when the database or Temporal does not answer. */
export async function lostOn(deps: LostDeps, target?: Target): Promise<readonly Lost[]> {
  const open = await deps.audit.open(target);
  const running = target ? [] : await deps.operations.listRunning();
  const runs = new Set(running.map(({ runId }) => runId));
  const doubtful = open.filter(({ runId }) => runId === undefined || !runs.has(runId)).slice(0, MOST);
  const fates = await Promise.all(doubtful.map(async (known) => ({ known, fate: await deps.operations.fate(known) })));
  const lost = fates.flatMap(({ known, fate }) => (fate.kind === 'lost' ? [{ known, fate }] : []));
  const records = await Promise.all(lost.map(({ known }) => deps.audit.lost(known.opId)));
  return lost.filter((_, index) => records[index]?.replacedBy === undefined);
}

/** Rolls back the lost operation on a target, or the one that is named. Undefined: there is none. */
export async function rollBackLost(
  deps: BotDeps,
  where: { readonly target: Target; readonly opId?: string },
  by: { readonly actor: Actor; readonly reason?: string },
): Promise<Answer | undefined> {
  const lost = await findLost(deps, where);
  if (lost === 'unknown') return say(NOT_KNOWN);
  if (!lost) return undefined;
  return recovered(deps, lost, { by: by.actor, ...(by.reason !== undefined && { reason: by.reason }) });
}

/** What the lost operation has written stays, if this person may agree to that: an approver who has not asked for the change. */
export async function keepLost(
  deps: BotDeps,
  { target, opId }: { readonly target: Target; readonly opId: string },
  actor: Actor,
): Promise<Answer | Refused> {
  const found = await findLost(deps, { target, opId });
  if (found === 'unknown') return say(NOT_KNOWN);
  if (!found) return refusal('NoGateOpen');
  const record = await deps.audit.lost(opId);
  if (record && isSamePerson(record.requester, actor)) return refusal('SelfApproval');
  const refused = record && (await refuseKeep(deps, record, actor));
  return refused ?? recovered(deps, found, { by: actor, keep: true });
}

/** How long Slack is asked who may decide. Milliseconds. */
const ASK_MS = 10_000;

/** Which share is in place is for the run to say, with its own rule; here nobody passes whom no rule names. */
async function refuseKeep(deps: BotDeps, record: LostOperation, actor: Actor): Promise<Refused | undefined> {
  const { gates } = settingsFor(deps.config(), record.target, recordOf(record.verb).command);
  if (gates.length === 0) return undefined;
  try {
    const people = await Promise.all(gates.map((rule) => deps.people.approvers(rule, AbortSignal.timeout(ASK_MS))));
    return people.flat().some(({ id }) => id === actor.id) ? undefined : refusal('NotAnApprover');
  } catch (error) {
    deps.log.warn({ err: error, opId: record.opId }, 'who may keep a change could not be learned');
    return refusal('SlackSilent');
  }
}

const NOT_KNOWN =
  '*Not known.* The database or Temporal did not answer, so it cannot be said what is in place. Nothing was changed. Try again in a minute.';

async function findLost(deps: BotDeps, where: { readonly target: Target; readonly opId?: string }): Promise<Lost | undefined | 'unknown'> {
  try {
    return (await lostOn(deps, where.target)).find(({ known }) => where.opId === undefined || known.opId === where.opId);
  } catch (error) {
    deps.log.warn({ err: error }, 'it could not be learned whether an operation is lost');
    return 'unknown';
  }
}

/** Starts the run that ends the lost operation, as this person wants it. */
async function recovered(
  deps: BotDeps,
  lost: Lost,
  by: { readonly by: Actor; readonly reason?: string; readonly keep?: true },
): Promise<Answer> {
  const { opId } = lost.known;
  const record = await deps.audit.lost(opId);
  if (!record || record.originals.length === 0) return say(nothingKnown(opId));
  const { how, seen } = lost.fate;
  const settings = settingsFor(deps.config(), record.target, recordOf(record.verb).command);
  const request = recoveryRequest(record, { how, ...by, inPlace: true, settings, ...(seen && { seen }), now: deps.now() });
  const result = await deps.operations.begin(request, { onSettled: async () => undefined });
  if (result.kind === 'begun') {
    const { runId } = result.begun;
    const { workflowId } = lost.known;
    const work = () => deps.audit.started({ opId, workflowId, runId, target: record.target, at: deps.now() });
    inBackground(deps, 'the run that ends a lost operation could not be recorded', work);
  }
  const what = by.keep ? 'kept' : 'rolled back';
  switch (result.kind) {
    case 'begun':
      return by.keep
        ? say(`*${said(opId)}* stays as it is if that is enough; its message shows whether more approvals are needed.`)
        : say(`*${said(opId)}* is rolled back: its own run is gone (${how}). Its message shows when that is done, or why it waits.`);
    case 'busy':
      return say(`*${said(opId)}* is not ${what} now: *${said(result.view.opId)}* runs on the same target. Abort that first.`);
    case 'refused':
      return sayPlain(wordsFor(result.code, result.words));
    case 'not-confirmed':
      return say(`*Not confirmed.* Nobody answered in time, so *${said(opId)}* may or may not be ${what} now. It is safe to ask again.`);
    default:
      return result satisfies never;
  }
}

/** One line of a status. */
export function lostLine({ known, fate }: Lost): string {
  return (
    `${code(known.target)}: *nobody watches a change.* *${said(known.opId)}* of ${moment(known.startedAt)} has no run any more (${fate.how}) and no outcome. ` +
    `${code(`abort ${known.opId}`)} rolls it back.`
  );
}

function nothingKnown(opId: string): string {
  return `*${said(opId)}* has no run any more, and the record does not hold what was before it. Nothing was changed. Set the share by hand, and remove the annotation meshops.dev/operation.`;
}

/** The target of a known operation. */
export function targetIn({ target }: Pick<KnownOperation, 'target'>): Target | undefined {
  const [cluster, namespace, name] = target.split('/');
  return cluster && namespace && name ? { cluster, namespace, name } : undefined;
}

/** Not to be told from a status that there is nothing: the reason is logged, and the answer says that it is not known. */
export async function lostLines(deps: BotDeps, allowed: (target: Target) => boolean, target?: Target): Promise<readonly string[]> {
  try {
    const visible = (await lostOn(deps, target)).filter(({ known }) => {
      const at = targetIn(known);
      return at !== undefined && allowed(at);
    });
    return visible.map(lostLine);
  } catch (error) {
    deps.log.warn({ err: error, ...(target && { target: formatTarget(target) }) }, 'it could not be learned which operations are lost');
    return ['Whether changes are in place that nobody watches could not be learned now.'];
  }
}
