import type { VerbRecord } from '../verb-record.ts';
import { POLICY_COMMANDS } from './commands.ts';

/** Network policies by cohorts of pods: connections of pods under the policy beside those of the others. */
export const POLICY_VERB: VerbRecord = {
  commands: POLICY_COMMANDS,
  scope: 'workload',
  isWayBack: () => false,
  mayContinue: () => false,
  command: 'policy enforce',
  wayBack: 'policy relax',
  onwards: {},
  nothingBack: ({ namespace, name }) => ({ code: 'NothingToRelax', parameters: { workload: `${namespace}/${name}` } }),
  restsAtZero: true,
  // A rollout by cohorts cannot be planned anew from its middle.
  adoptsInPlace: true,
  countsInVerdict: false,
  words: {
    sides: {
      changed: 'under the policy',
      rest: 'other pods',
      ofChanged: 'under the policy',
      ofRest: 'of other pods',
      unit: 'connection',
      bad: 'dropped',
    },
    chart: {
      share: 'pods under the policy',
      axis: 'Pods',
      rate: 'Connections per second',
      bad: 'Dropped connections under the policy',
    },
    goesOn: {
      withShare: 'What was in place before the operation is in place again, so the cause lies elsewhere.',
      without: 'What was in place before the operation is in place again, so the cause lies elsewhere.',
    },
    inPlace: (exposure) => (exposure > 0 ? 'enforced' : 'observed'),
    leads: true,
    adopting: 'and take the next steps from there',
    own: 'its own policy',
  },
};
