import type { Scenario } from './scenario.ts';
import { abStories } from './stories/ab.ts';
import { lateStories } from './stories/afterwards.ts';
import { agentStories } from './stories/agents.ts';
import { callStories } from './stories/calls.ts';
import { canaryStories } from './stories/canary.ts';
import { doctorStories } from './stories/doctor.ts';
import { emergencyStories } from './stories/emergency.ts';
import { encryptionStories } from './stories/encryption.ts';
import { encryptionChangeStories } from './stories/encryption-change.ts';
import { encryptionRefusalStories } from './stories/encryption-refusals.ts';
import { faultStories } from './stories/faults.ts';
import { formStories } from './stories/forms.ts';
import { gitOpsStories } from './stories/gitops.ts';
import { guardingStories } from './stories/guarding.ts';
import { guardStories } from './stories/guards.ts';
import { handoverStories } from './stories/handover.ts';
import { harmStories } from './stories/harm.ts';
import { heldToStories } from './stories/held-to.ts';
import { lostStories } from './stories/lost.ts';
import { outageStories } from './stories/outages.ts';
import { partitionStories } from './stories/partition.ts';
import { peopleStories } from './stories/people.ts';
import { policyStories } from './stories/policy.ts';
import { policyInForceStories } from './stories/policy-inforce.ts';
import { policyMeanwhileStories } from './stories/policy-meanwhile.ts';
import { policyPromiseStories } from './stories/policy-promise.ts';
import { policyWorkloadStories } from './stories/policy-workloads.ts';
import { probeStories } from './stories/probes.ts';
import { protocolStories } from './stories/protocols.ts';
import { recordedStories } from './stories/recorded.ts';
import { routeStories } from './stories/routes.ts';
import { sightStories } from './stories/sight.ts';
import { wayBackStories } from './stories/way-back.ts';

/** Every story, in the order of `list`. A new one goes into the file of its kind. */
export const SCENARIOS: readonly Scenario[] = [
  ...canaryStories,
  ...peopleStories,
  ...formStories,
  ...callStories,
  ...emergencyStories,
  ...faultStories,
  ...policyStories,
  ...policyMeanwhileStories,
  ...policyPromiseStories,
  ...policyWorkloadStories,
  ...policyInForceStories,
  ...routeStories,
  ...gitOpsStories,
  ...handoverStories,
  ...doctorStories,
  ...encryptionStories,
  ...encryptionChangeStories,
  ...encryptionRefusalStories,
  ...lateStories,
  ...harmStories,
  ...sightStories,
  ...outageStories,
  ...lostStories,
  ...partitionStories,
  ...abStories,
  ...guardingStories,
  ...wayBackStories,
  ...guardStories,
  ...protocolStories,
  ...recordedStories,
  ...heldToStories,
  ...probeStories,
  ...agentStories,
];
