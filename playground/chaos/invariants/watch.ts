import type { Verdict } from '../../../src/domain/judge/verdict.ts';
import { isExposing, type Lost } from '../looks.ts';
import type { OperationTruth } from '../operation-truth.ts';
import type { Truth } from '../truth.ts';
import type { Invariant } from './invariant.ts';
import { isKnownToBeGone, wasTold } from './told.ts';

/** How long something may be in force without a watch before people are told (ms). */
const UNWATCHED_MS = 10_000;
/** A run that is gone is found by whoever looks next (ms). */
const GONE_MS = 60_000;
/**
 * Requests and time within which harm must be undone; a stage of 5% has one request of the canary in about three seconds.
 * Where the requests come late and all at once, as when another hand raises a share of next to nothing, it is undone right after them.
 */
export const HARMED = 12;
const HARMED_MS = 45_000;
function unwatched({ now }: Truth, { unwatchedSince }: OperationTruth): number {
  return unwatchedSince === undefined ? 0 : now - unwatchedSince;
}

export const WHAT_IS_IN_FORCE_IS_WATCHED: Invariant = {
  name: 'what is in force is watched',
  says: 'Whenever a change of an operation is in force a fuse is armed, or people have been told within 10 s that none is. Of a run that is gone they are told within 60 s in which Slack takes messages.',
  broken: (truth) => {
    for (const operation of truth.operations) {
      const ms = unwatched(truth, operation);
      const { isOpen } = operation.run;
      if (!isOpen && !truth.world.faults.wellFor('slack', GONE_MS)) continue;
      const limit = isOpen ? UNWATCHED_MS : GONE_MS;
      if (ms <= limit + 1_500 || wasTold(truth, truth.now - ms) || isKnownToBeGone(truth, operation)) continue;
      return `${operation.opId} had ${Math.round(truth.written * 1_000) / 10}% in force for ${Math.round(ms / 1_000)} s without a watch (${operation.view?.phase})`;
    }
    return undefined;
  },
};

export const HARM_IS_UNDONE: Invariant = {
  name: 'harm is undone',
  says: 'A canary that fails while an operation exposes it is taken back within its bound; where its run was ended by hand, people are told instead.',
  broken: (truth) => {
    for (const operation of truth.operations) {
      const { harmedSince = truth.now, harmedEnoughSince, harmed, opId } = operation;
      const ms = truth.now - harmedSince;
      const limit = operation.run.isOpen ? HARMED_MS : HARMED_MS + GONE_MS;
      if (harmedEnoughSince === undefined || ms < limit || truth.now - harmedEnoughSince < PUT_BACK_MS) continue;
      if (!isExposing(truth, operation) || isKnownToBeGone(truth, operation)) continue;
      return `${opId}: ${harmed} requests harmed in ${Math.round(ms / 1_000)} s and not undone (${operation.view?.phase})`;
    }
    return undefined;
  },
};

/** So many failures may be on their way when the budget is used up; and so long may it take to put back what made them (ms). */
const ON_THE_WAY = 2;
const PUT_BACK_MS = 3_000;

/** Failures that the operation's canary has had beyond its budget. */
export function overBudget({ requests, failures, answered }: OperationTruth): number {
  const settings = requests[0]?.settings;
  return settings?.budget === undefined ? 0 : failures - settings.objective * answered - settings.budget;
}

export const BUDGET_IS_KEPT: Invariant = {
  name: 'one budget for one operation',
  says: 'An operation with a budget is put back when its canary has failed more often than the budget allows, over all its watches together. What could not be seen is told as that instead: people decide.',
  broken: (truth) => {
    for (const operation of truth.operations) {
      const { overSince, outages, run, opId, failures, answered, requests, watches } = operation;
      if (overSince === undefined || outages.size > 0 || !run.isOpen || overBudget(operation) <= ON_THE_WAY) continue;
      if (watches.some(({ result }) => isUnseen(result?.verdict))) continue;
      if (truth.now - overSince > PUT_BACK_MS && isExposing(truth, operation))
        return `${opId}: ${failures} failures of ${answered}, where ${requests[0]?.settings.budget} were allowed, for ${truth.now - overSince} ms`;
    }
    return undefined;
  },
};

/** A watch that has seen everything and could not decide is blind by name only. */
function isUnseen(verdict: Verdict | undefined): boolean {
  return verdict?.kind === 'blind' && verdict.reason !== 'undecided';
}

export const ONLY_NODES_THAT_MATTER_BLIND: Invariant = {
  name: 'only nodes that matter blind',
  says: 'An agent that carries no traffic of the watched Services blinds nobody.',
  broken: (truth) => {
    for (const { watches, opId } of truth.operations) {
      for (const { result } of watches) {
        if (result?.verdict.kind === 'blind' && /node-other/.test(result.verdict.reason))
          return `${opId} was blind because of a node without traffic: ${result.verdict.words}`;
      }
    }
    return undefined;
  },
};

/** A watch hears its first flow so long after it began, and its last one before it ended (ms). */
const OPENING_MS = 500;

/** A canary may lose so many records that would change nothing, whatever they were; of a policy's connections each may be the one that counts. */
const MATTERING = 1_000;

function matters({ count, requests, policies }: Lost, type: string, opId: string | undefined): boolean {
  return type === 'policy.watch' ? opId !== undefined && policies.has(opId) : requests && count >= MATTERING;
}

export const LOST_EVENTS_ARE_REMEMBERED: Invariant = {
  name: 'what was not seen is remembered',
  says: 'A watch that lost records of its own traffic never ends healthy.',
  broken: (truth) => {
    for (const { watches, opId } of truth.operations) {
      for (const { result, input, attempt, endedAt = truth.now } of watches) {
        if (result?.verdict.kind !== 'healthy') continue;
        const [from, to] = [attempt.firstAt + OPENING_MS, endedAt - OPENING_MS];
        const lost = truth.lost.find((one) => one.at >= from && one.at <= to && matters(one, attempt.type, opId));
        if (lost) return `${opId}: ${lost.count} records were lost, and the watch (${input.purpose}) ended healthy`;
      }
    }
    return undefined;
  },
};

export const WHAT_PASSES_WAS_SEEN: Invariant = {
  name: 'what passes was seen',
  says: 'No stage is healthy unless requests reached its canary after it was written: requests of another time, by whatever clock, are no evidence.',
  broken: (truth) => {
    for (const { watches, opId, answers, writes } of truth.operations) {
      for (const { result, input, attempt, since, endedAt = truth.now } of watches) {
        if (result?.verdict.kind !== 'healthy' || result.relieved || input.purpose !== 'stage' || attempt.type !== 'canary.watch') continue;
        const written = writes.findLast(({ at }) => at <= since);
        if (written && written.to > written.from && !answers.some((at) => at >= since && at <= endedAt))
          return `${opId}: stage ${input.stage.label} passed, and no request had reached the canary since it was written`;
      }
    }
    return undefined;
  },
};
