import { workflowInfo } from '@temporalio/workflow';

/**
 * Temporal ends a run whose history has more than 51,200 events or 50 MB, whatever it has in force. A step has some 150 events, an operation of
 * many stages 2,000: from here on nothing more is begun, and what is under way comes to its end well below the limit.
 */
const MOST_EVENTS = 15_000;
const MOST_BYTES = 15_000_000;

/** Is there room in the history for something more? Asked where people begin it, never by what runs. */
export function hasRoom(): boolean {
  const { historyLength, historySize } = workflowInfo();
  return historyLength < MOST_EVENTS && historySize < MOST_BYTES;
}
