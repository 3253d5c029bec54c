import type { VerbRecord } from '../verb-record.ts';
import type { CanaryChange } from './change.ts';
import { CANARY_COMMANDS } from './commands.ts';

/** Weights of routes: requests to the canary beside those to stable. */
export const CANARY_VERB: VerbRecord = {
  commands: CANARY_COMMANDS,
  scope: 'service',
  isWayBack: (change) => {
    const asked = change as CanaryChange;
    return (asked.kind === 'shift' && asked.percent === 0) || (asked.kind === 'ab' && !asked.header);
  },
  // Only a share goes on as a larger share: what another kind of change has written would lie around what the step writes.
  mayContinue: (change, { exposure }, running) => {
    const asked = change as CanaryChange;
    return running.kind === 'shift' && asked.kind === 'shift' && asked.percent > exposure * 100;
  },
  command: 'canary',
  wayBack: 'rollback',
  onwards: {
    promote: {
      command: 'promote',
      change: (opId) => ({ kind: 'shift', percent: 100, of: opId }),
      behind: (name) => name,
      button: {
        label: 'Promote to 100%',
        confirm: {
          title: 'Promote {} to 100%?',
          text: 'This asks for a climb to 100% in steps, with its own plan and approval. Nothing changes before that.',
          yes: 'Ask for it',
        },
      },
    },
    zero: {
      command: 'canary',
      change: () => ({ kind: 'shift', percent: 0 }),
      behind: (name) => `${name} 0%`,
      button: {
        label: 'Canary to 0%',
        style: 'danger',
        confirm: {
          title: 'Canary of {} to 0%?',
          text: 'This asks for a new operation that takes all traffic from the canary.',
          yes: 'Ask for it',
        },
      },
    },
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
      share: 'Share',
    },
    chart: {
      share: 'weight of the canary',
      axis: 'Weight',
      rate: 'Requests per second',
      bad: 'Failed requests of the canary',
    },
    goesOn: {
      withShare: 'The canary still has traffic. 0% takes it out altogether: its message has the button.',
      without: 'The canary has no traffic now, so the cause lies elsewhere.',
    },
    adopting: 'and plan on from it',
    own: "its own Service's weight",
  },
};
