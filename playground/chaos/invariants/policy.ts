import { COHORT_LABEL } from '../../../src/domain/policy/stages/rule-document.ts';
import type { Invariant } from './invariant.ts';

export const NO_DETOUR: Invariant = {
  name: 'no flow is decided otherwise on the way',
  says: 'No flow is ever allowed that both the state before and the approved end deny, and none is denied that both allow.',
  broken: (truth) => truth.policy.breaches[0],
};

export const NO_STAGE_PASSES_UNSEEN: Invariant = {
  name: 'no stage of a policy passes unseen',
  says: 'A stage of a policy is healthy only where connections of its pods were seen.',
  broken: (truth) => truth.policy.unseen[0],
};

export const NO_POD_OF_TWO: Invariant = {
  name: 'no pod under two rollouts',
  says: 'Two policy operations never have the same pod under way at the same time.',
  broken: (truth) => truth.policy.shared[0],
};

export const POLICIES_LEAVE_NOTHING_BEHIND: Invariant = {
  name: 'a policy operation leaves nothing behind',
  says: 'When nothing runs any more no pod carries a cohort label, and no shadow is left.',
  broken: (truth, atEnd) => {
    if (!atEnd || truth.operations.some(({ run }) => run.isOpen || run.status !== 'COMPLETED')) return undefined;
    if (truth.operations.some(({ ending }) => ending === 'abandoned' || ending === 'superseded')) return undefined;
    const { workload } = truth.world;
    const { pods, policies } = workload;
    // What another hand has put there is kept.
    const pod = pods.find((one) => one.metadata.labels?.[COHORT_LABEL] !== undefined && !workload.wasRelabelled(one));
    if (pod) return `pod ${pod.metadata.name} still carries a cohort label`;
    const shadow = policies.find(({ metadata }) => metadata.name.endsWith('-shadow'));
    return shadow && `the shadow ${shadow.metadata.name} is left`;
  },
};
