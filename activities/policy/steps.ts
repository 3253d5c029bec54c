import { Context } from '@temporalio/activity';
import type { VerbSteps } from '../watch/verb-steps.ts';
import { createWatch } from '../watch/watch.ts';
import { restore } from '../writes/restore.ts';
import { applyAlone } from './claim.ts';
import { policyWatching } from './evidence.ts';
import { fillStage } from './fill.ts';
import { planPolicy } from './plan.ts';
import { realised } from './realised.ts';

/** What a policy does in the steps that every verb has. */
export const steps: VerbSteps = (deps) => {
  const signal = (): AbortSignal => Context.current().cancellationSignal;
  return {
    plan: (input) => planPolicy(deps, input, signal()),
    fill: (input) => fillStage(deps.cluster, input, signal()),
    apply: (input) => applyAlone(deps, input, signal()),
    realised: (input) => realised(deps, input, signal()),
    watch: createWatch({ ...deps, restore: (input, options) => restore(deps, input, options) }, policyWatching(deps)),
    restore: (input) => restore(deps, input, { signal: signal() }),
    // A policy gives traffic to nobody.
    unready: async () => ({}),
  };
};
