import type { VerbRecord } from '../verb-record.ts';

/** Weights of routes: requests to the canary beside those to stable. */
export const CANARY_VERB: VerbRecord = {
  command: 'canary',
  wayBack: 'rollback',
  onwards: {
    promote: { command: 'promote', change: (opId) => ({ kind: 'shift', percent: 100, of: opId }), behind: (name) => name },
    zero: { command: 'canary', change: () => ({ kind: 'shift', percent: 0 }), behind: (name) => `${name} 0%` },
  },
  nothingBack: ({ name }) => ({ code: 'NothingToUndo', parameters: { service: name } }),
  restsAtZero: false,
  adoptsInPlace: false,
  countsInVerdict: true,
  words: {
    sides: {
      changed: 'canary',
      rest: 'stable',
      ofChanged: 'to the canary',
      ofRest: 'to stable',
      unit: 'request',
      bad: 'failed',
    },
    chart: {
      share: 'weight of the canary',
      axis: 'Weight',
      rate: 'Requests per second',
      bad: 'Failed requests of the canary',
    },
    goesOn: {
      withShare:
        'The canary has traffic as it did before the operation. 0% would take it out altogether; the button stands under the operation.',
      without: 'The canary has no traffic now, so the cause lies elsewhere.',
    },
    adopting: 'and plan on from it',
    own: "its own Service's weight",
  },
};
