import type { VerbRecord } from '../verb-record.ts';
import { ENCRYPTION_COMMANDS } from './commands.ts';

/** Encryption between nodes: connections to and from changed nodes beside those among the others. */
export const ENCRYPTION_VERB: VerbRecord = {
  commands: ENCRYPTION_COMMANDS,
  scope: 'cluster',
  // Off makes traffic readable, so neither direction only takes something back.
  isWayBack: () => false,
  mayContinue: () => false,
  command: 'encryption off',
  wayBack: 'encryption off',
  typedBack: ({ kind, window }) => {
    if (window) return `/encryption window ${kind === 'off' ? 'wireguard' : 'off'}`;
    return kind === 'off' ? '/encryption on wireguard' : '/encryption off';
  },
  onwards: {},
  nothingBack: ({ cluster }) => ({ code: 'NothingDone', parameters: { target: cluster } }),
  restsAtZero: false,
  // Agents have restarted with what the stages wrote: a plan cannot go on from something else.
  adoptsInPlace: true,
  countsInVerdict: true,
  words: {
    sides: {
      changed: 'changed nodes',
      rest: 'other nodes',
      ofChanged: 'to and from changed nodes',
      ofRest: 'between other nodes',
      unit: 'attempt',
      bad: 'lost',
    },
    chart: {
      share: 'changed nodes',
      axis: 'Nodes',
      rate: 'Attempts per second',
      bad: 'Lost attempts of changed nodes',
    },
    goesOn: {
      withShare: 'Nodes are configured as before, so the cause lies elsewhere.',
      without: 'Nodes are configured as before, so the cause lies elsewhere.',
    },
    leads: true,
    adopting: 'and take the next steps from there',
    own: 'its own configuration of nodes',
  },
};
