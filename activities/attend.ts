import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { canonicalJson, type Json } from '../src/domain/json.ts';
import type { Attended, AttendInput } from '../src/domain/lifecycle/contract.ts';
import type { Log } from '../src/log.ts';
import type { Freezes, People } from '../src/ports.ts';

interface AttendDeps {
  readonly freezes: Freezes;
  readonly people: People;
  readonly now: () => number;
  readonly log: Log;
}

/** Groups change rarely, and Slack's rate is for decisions (ms). */
const PEOPLE_EVERY_MS = 5 * 60_000;

/**
 * Ends when what an open question shows is not so any more: a freeze was set, changed or lifted, or other people may decide; or when its
 * time is over, or that of the next call has come. What cannot be read counts as unchanged. One activity, however long nothing changes.
 */
export async function attend(deps: AttendDeps, input: AttendInput, signal: AbortSignal): Promise<Attended> {
  const context = Context.current();
  const end = deps.now() + input.forMs;
  let askedAt = deps.now();
  while (deps.now() < end) {
    context.heartbeat();
    const freeze = await freezeNow(deps, input);
    let { approvers } = input;
    if (input.rule && deps.now() - askedAt >= PEOPLE_EVERY_MS) {
      askedAt = deps.now();
      approvers = await approversNow(deps, input, signal);
    }
    if (input.callAt !== undefined && deps.now() >= input.callAt) return { freeze, approvers, isDue: true };
    if (!isSame(freeze, input.freeze) || !isSame(idsOf(approvers), idsOf(input.approvers))) return { freeze, approvers };
    const wake = Math.min(end, input.callAt ?? end);
    await sleep(Math.min(input.everyMs, Math.max(1, wake - deps.now())), undefined, { signal });
  }
  return { freeze: input.freeze, approvers: input.approvers };
}

async function freezeNow({ freezes, log }: AttendDeps, { heeds, target, freeze }: AttendInput): Promise<Attended['freeze']> {
  if (!heeds) return null;
  try {
    return (await freezes.active(target)) ?? null;
  } catch (error) {
    log.warn({ err: error }, 'freezes cannot be read now; an open question shows what was known');
    return freeze;
  }
}

async function approversNow({ people, log }: AttendDeps, input: AttendInput, signal: AbortSignal): Promise<Attended['approvers']> {
  try {
    return input.rule ? await people.approvers(input.rule, signal) : input.approvers;
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn({ err: error }, 'who may decide cannot be read now; an open question shows what was known');
    return input.approvers;
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a as Json) === canonicalJson(b as Json);
}

function idsOf(approvers: Attended['approvers']): readonly string[] {
  return approvers.map(({ id }) => id).toSorted();
}
