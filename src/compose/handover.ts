// Tells Git what completed operations have left: a patch in the thread or a pull request, and from then on whether Git agrees.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Handover, HandoverNote, Handovers } from '../audit/handovers.ts';
import type { Audit } from '../audit/log.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';
import { type HandoverRule, handoverFor } from '../domain/config/handover.ts';
import type { MessageRef } from '../domain/lifecycle/operation.ts';
import type { Attachment, ObjectRef } from '../domain/lifecycle/plan.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import { VERB_NAMES, verbIn } from '../domain/verb.ts';
import { code, said } from '../domain/words/words.ts';
import type { GitApart } from '../handover/apart.ts';
import { leftBy, objectsFile } from '../handover/left.ts';
import type { Found } from '../handover/work.ts';
import type { Log } from '../log.ts';

export interface HandoverDeps {
  readonly cluster: string;
  readonly rules: () => readonly HandoverRule[];
  readonly handovers: Handovers;
  readonly audit: Pick<Audit, 'lastCompleted' | 'append'>;
  readonly read: (object: ObjectRef, signal: AbortSignal) => Promise<KubeObject | undefined>;
  readonly git: GitApart;
  readonly announcer: {
    /** Says one thing in the thread of an operation that may be over. `key` makes a repetition harmless. */
    tell(thread: MessageRef, what: { readonly opId: string; readonly text: string; readonly key: string }): Promise<void>;
    attach(thread: MessageRef, attachment: Attachment): Promise<void>;
  };
  readonly now: () => number;
  readonly log: Log;
}

const EVERY_MS = 2_000;
/** A worker that goes away with one in its hands loses it after this. */
const CLAIM_MS = 120_000;
/** What completed before this is nobody's news any more: the rules may be new. */
const SINCE_MS = 3_600_000;
const READ_MS = 5_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 600_000;
/** People hear of Git being away after so many looks. */
const TOLD_AFTER = 3;

/** Looks again and again until the signal aborts. */
export async function handOver(deps: HandoverDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      if (deps.rules().length > 0) await handOverOnce(deps, signal);
    } catch (error) {
      if (!signal.aborted) deps.log.warn({ err: error }, 'what operations have left could not be compared with Git; tried again');
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** One look at everything that is due. */
export async function handOverOnce(deps: HandoverDeps, signal: AbortSignal): Promise<void> {
  const now = deps.now();
  await deps.handovers.take(deps.cluster, now - SINCE_MS, now);
  for (const handover of await deps.handovers.claim(deps.cluster, now, now + CLAIM_MS)) await one(deps, handover, signal);
}

async function one(deps: HandoverDeps, handover: Handover, signal: AbortSignal): Promise<void> {
  const { opId, target, note } = handover;
  const rule = handoverFor(deps.rules(), target);
  const completed = await deps.audit.lastCompleted(target, verbIn(opId) ?? VERB_NAMES[0]);
  if (!rule || !completed || completed.opId !== opId) {
    // Nothing is left of it, nobody wants to know any more, or a later one is what counts.
    await deps.handovers.save(opId, { state: 'superseded', note, tries: 0, nextAt: deps.now() });
    return;
  }
  try {
    const handed = await leftBy(completed, (ref) => deps.read(ref, AbortSignal.any([signal, AbortSignal.timeout(READ_MS)])) as never);
    const isFirst = handover.state === 'pending';
    const found = await deps.git.look({ rule, handed, ...(isFirst && { propose: proposalOf(opId, target) }) });
    const agrees = found.paths.length === 0 && found.problems.length === 0;
    const told = noteOf(rule, found, note);
    if (isFirst && !agrees) await tellDifference(deps, handover, { rule, found, objects: objectsFile(handed) });
    if (!isFirst && agrees) await tell(deps, handover, 'agrees', `Git agrees with it: ${placeWords(rule)} has the same values.`);
    const checkedAt = deps.now();
    const state = agrees ? 'agrees' : 'differs';
    await deps.handovers.save(opId, { state, note: told, tries: 0, checkedAt, nextAt: checkedAt + rule.check });
    if (isFirst || agrees) await record(deps, handover, { state, ...told });
  } catch (error) {
    signal.throwIfAborted();
    await failed(deps, handover, rule, error);
  }
}

async function failed(deps: HandoverDeps, handover: Handover, rule: HandoverRule, error: unknown): Promise<void> {
  const { opId, note, state, checkedAt } = handover;
  const tries = handover.tries + 1;
  const reason = error instanceof Error ? error.message : String(error);
  deps.log.warn({ opId, err: error, tries }, 'what an operation has left could not be compared with Git; tried again');
  const nextAt = deps.now() + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1));
  const told: HandoverNote = { ...note, repository: rule.repository, branch: rule.branch, reason };
  await deps.handovers.save(opId, { state, note: told, tries, nextAt, ...(checkedAt !== undefined && { checkedAt }) });
  if (tries !== TOLD_AFTER || state !== 'pending') return;
  await tell(deps, handover, 'away', `It could not be handed over to Git (${placeWords(rule)}): ${said(reason, 300)}. It is tried again.`);
}

async function tellDifference(
  deps: HandoverDeps,
  handover: Handover,
  { rule, found, objects }: { readonly rule: HandoverRule; readonly found: Found; readonly objects: string },
): Promise<void> {
  const { opId, message } = handover;
  const differs = `*Differs from Git* (${placeWords(rule)})`;
  if (found.url !== undefined) await tell(deps, handover, 'differs', `${differs}. Pull request: ${found.url}`);
  else if (found.patch !== '' && message) {
    const name = `${opId}.patch`;
    const comment = `${differs}: ${found.paths.join(', ')}. \`git apply ${name}\` makes it agree; \`status\` says when it does.`;
    await deps.announcer.attach(message, { name, title: 'What Git should say', comment, text: found.patch });
  }
  if (found.problems.length === 0 || !message) return;
  const comment = `${differs}, and no patch could be made: ${found.problems.map((one) => said(one, 300)).join('; ')}. The objects as they are now:`;
  await deps.announcer.attach(message, { name: `${opId}.yaml`, title: 'The objects as they are', comment, text: objects });
}

async function tell(
  deps: HandoverDeps,
  { opId, message }: { opId: string; message?: MessageRef },
  what: string,
  text: string,
): Promise<void> {
  if (message) await deps.announcer.tell(message, { opId, text, key: `${opId}/handover/${what}` });
}

function noteOf({ repository, branch }: HandoverRule, { paths, problems, url }: Found, before: HandoverNote): HandoverNote {
  const address = url ?? before.url;
  return { repository, branch, paths: paths.slice(0, 20), problems: problems.slice(0, 5), ...(address !== undefined && { url: address }) };
}

function placeWords({ repository, branch, folder }: HandoverRule): string {
  return `${code(repository)}, ${code(branch)}${folder === '' ? '' : `, ${code(folder)}`}`;
}

function proposalOf(opId: string, target: Target): { readonly branch: string; readonly title: string; readonly body: string } {
  const body = `What operation ${opId} has left in the cluster, after it was approved and watched. Nothing else is changed.`;
  return { branch: `meshops/${opId}`, title: `${formatTarget(target)}: as ${opId} left it`, body };
}

async function record({ audit, now }: HandoverDeps, { opId, target }: Handover, data: object): Promise<void> {
  const key = `${opId}/handover/${String((data as { state: string }).state)}`;
  await audit.append([{ key, at: now(), kind: 'handover', opId, target, data: JSON.parse(JSON.stringify(data)) }]);
}
