import { Context } from '@temporalio/activity';
import { showingUndo } from '../watch/undoing.ts';
import type { VerbSteps } from '../watch/verb-steps.ts';
import { createWatch } from '../watch/watch.ts';
import { restore } from '../writes/restore.ts';
import { applyNodes } from './apply.ts';
import { encryptionWatching } from './evidence.ts';
import { fillAgents } from './fill.ts';
import { planNodes } from './plan.ts';
import { realised } from './realised.ts';

/** What encryption does in the steps that every verb has. */
export const steps: VerbSteps = (deps) => {
  const signal = (): AbortSignal => Context.current().cancellationSignal;
  return {
    plan: (input) => planNodes(deps, input, signal()),
    fill: (input) => fillAgents(deps, input, signal()),
    apply: (input) => applyNodes(deps, input, signal()),
    realised: (input) => realised(deps, input, signal()),
    watch: createWatch({ ...deps, restore: (input, options) => restore(deps, input, options) }, encryptionWatching(deps)),
    restore: (input) => {
      const ended = signal();
      return showingUndo(deps, input.view, (progress) => restore(deps, input, { signal: ended, progress }));
    },
    // Nobody gets traffic by it who had none.
    unready: async () => ({}),
  };
};
