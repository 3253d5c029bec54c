import type { Truth } from '../truth.ts';
import type { Invariant } from './invariant.ts';

/** What one run may write, whatever happens to it: far below what the server ends it at. */
const EVENTS = 2_000;
/** People may ask a running operation for a further step, with a gate of its own. */
const OF_STEP = 150;
const BYTES = 4 * 2 ** 20;

export const HISTORY_STAYS_SMALL: Invariant = {
  name: 'history stays small',
  says: 'No run comes near the limits of Temporal: 2,000 events, and 150 for each further step that people ask for; 4 MiB.',
  broken: (truth) => {
    for (const { run, opId, requests } of truth.operations) {
      if (run.events > EVENTS + OF_STEP * Math.max(0, requests.length - 1))
        return `${opId}: ${run.events} events after ${Math.round((truth.now - run.startedAt) / 60_000)} min`;
      if (run.bytes > BYTES)
        return `${opId}: ${(run.bytes / 2 ** 20).toFixed(1)} MiB of history after ${Math.round((truth.now - run.startedAt) / 60_000)} min`;
    }
    return undefined;
  },
};

/** A chart and a message (bytes); and a step may need several plans of its operation, with what was before. */
const CHART_BYTES = 56 * 1_024;
const OF_PLANS = 6;

export const INPUTS_STAY_SMALL: Invariant = {
  name: 'inputs stay small',
  says: 'What goes with a step is as large as plans and one chart make it, however long the operation lasts.',
  broken: (truth) => {
    for (const { largest, opId, run } of truth.operations) {
      const planned = largestPlan(truth, opId);
      const hours = Math.round((truth.now - run.startedAt) / 360_000) / 10;
      if (largest.bytes > CHART_BYTES + OF_PLANS * planned)
        return `${opId}: the input of ${largest.type} had ${Math.round(largest.bytes / 1_024)} KiB after ${hours} h`;
    }
    return undefined;
  },
};

/** Of the operation, whichever of its runs made it: one that ends a lost operation goes by the plan of the run before (bytes). */
function largestPlan({ operations }: Truth, opId: string | undefined): number {
  return Math.max(0, ...operations.filter((one) => opId !== undefined && one.opId === opId).map(({ planned }) => planned));
}

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
