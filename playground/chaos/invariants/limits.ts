import type { Invariant } from './invariant.ts';

/** What one run may write, whatever happens to it: far below what the server ends it at. */
const EVENTS = 2_000;
const BYTES = 4 * 2 ** 20;

export const HISTORY_STAYS_SMALL: Invariant = {
  name: 'history stays small',
  says: 'No run comes near the limits of Temporal: 2,000 events, 4 MiB.',
  broken: (truth) => {
    for (const { run, opId } of truth.operations) {
      if (run.events > EVENTS) return `${opId}: ${run.events} events after ${Math.round((truth.now - run.startedAt) / 60_000)} min`;
      if (run.bytes > BYTES)
        return `${opId}: ${(run.bytes / 2 ** 20).toFixed(1)} MiB of history after ${Math.round((truth.now - run.startedAt) / 60_000)} min`;
    }
    return undefined;
  },
};

export const THE_SERVER_ENDS_NO_RUN: Invariant = {
  name: 'the server ends no run',
  says: 'Temporal never terminates a run because it asks for too much.',
  broken: (truth) => {
    for (const { run, opId } of truth.operations)
      if (run.status === 'TERMINATED' && run.reason !== 'by hand') return `${opId ?? run.workflowId}: ${run.reason}`;
    return undefined;
  },
};

export const NOTHING_BREAKS: Invariant = {
  name: 'nothing breaks',
  says: 'No exception escapes: not of a workflow, not of a request, not of a promise that nobody waits for.',
  broken: (truth) => truth.breakages[0],
};
