import { Context } from '@temporalio/activity';
import type { VerbSteps } from '../watch/verb-steps.ts';
import { createWatch } from '../watch/watch.ts';
import { applyStage } from '../writes/apply.ts';
import { restore } from '../writes/restore.ts';
import { canaryWatching } from './evidence.ts';
import { planChange } from './plan.ts';
import { realised } from './realised.ts';
import { unready } from './unready.ts';

/** What a canary does in the steps that every verb has. */
export const steps: VerbSteps = (deps) => {
  const signal = (): AbortSignal => Context.current().cancellationSignal;
  return {
    plan: (input) => planChange(deps, input, signal()),
    apply: (input) => applyStage(deps, input, signal()),
    realised: (input) => realised(deps, input, signal()),
    watch: createWatch({ ...deps, restore: (input, options) => restore(deps, input, options) }, canaryWatching(deps)),
    restore: (input) => restore(deps, input, { signal: signal() }),
    unready: (input) => unready(deps, input, signal()),
  };
};
