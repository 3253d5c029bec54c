import { Context } from '@temporalio/activity';
import type { Flows } from '../clients/hubble/flows.ts';
import type { Hub } from '../clients/kubernetes/hub.ts';
import type { Steps } from '../contract.ts';
import type { AuditLog } from '../ports.ts';
import type { WatchDeps } from '../watch/run.ts';
import { createWatch } from '../watch/watch.ts';
import type { WriteDeps } from '../writes/apply.ts';
import { restore } from '../writes/restore.ts';
import { applyAlone } from './claim.ts';
import { policyWatching } from './evidence.ts';
import { type PlanDeps, planPolicy } from './plan.ts';
import { realised } from './realised.ts';

export interface PolicyDeps extends WriteDeps {
  readonly hub: Hub;
  readonly flows: Flows;
  readonly audit: AuditLog;
  readonly rings?: PlanDeps['rings'];
  readonly editMessage: WatchDeps['editMessage'];
}

/** What a policy does in the steps that every verb has. */
export function policySteps(deps: PolicyDeps): Steps {
  const signal = (): AbortSignal => Context.current().cancellationSignal;
  return {
    plan: (input) => planPolicy(deps, input, signal()),
    apply: (input) => applyAlone(deps, input, signal()),
    realised: (input) => realised(deps, input, signal()),
    watch: createWatch({ ...deps, restore: (input, options) => restore(deps, input, options) }, policyWatching(deps)),
    restore: (input) => restore(deps, input, { signal: signal() }),
    // A policy gives traffic to nobody.
    unready: async () => ({}),
  };
}
