import { Context } from '@temporalio/activity';
import type { Flows } from '../clients/hubble/flows.ts';
import type { Hub } from '../clients/kubernetes/hub.ts';
import type { Prometheus } from '../clients/prometheus/prometheus.ts';
import type { Steps } from '../contract.ts';
import type { AuditLog } from '../ports.ts';
import type { Recorder } from '../watch/recorder.ts';
import type { WatchDeps } from '../watch/run.ts';
import { createWatch } from '../watch/watch.ts';
import { applyStage, type WriteDeps } from '../writes/apply.ts';
import { restore } from '../writes/restore.ts';
import { canaryWatching } from './evidence.ts';
import { planChange } from './plan.ts';
import { realised } from './realised.ts';
import { unready } from './unready.ts';
import type { ProbeSettings } from './way.ts';

export interface CanaryDeps extends WriteDeps {
  readonly hub: Hub;
  readonly flows: Flows;
  readonly prometheus?: Prometheus | undefined;
  /** Left out: not probed. */
  readonly probe?: ProbeSettings | undefined;
  readonly audit: AuditLog;
  /** Left out: what the judges hear is not kept. */
  readonly recorder?: Recorder | undefined;
  readonly editMessage: WatchDeps['editMessage'];
}

/** What a canary does in the steps that every verb has. */
export function canarySteps(deps: CanaryDeps): Steps {
  const signal = (): AbortSignal => Context.current().cancellationSignal;
  return {
    plan: (input) => planChange(deps, input, signal()),
    apply: (input) => applyStage(deps, input, signal()),
    realised: (input) => realised(deps, input, signal()),
    watch: createWatch({ ...deps, restore: (input, options) => restore(deps, input, options) }, canaryWatching(deps)),
    restore: (input) => restore(deps, input, { signal: signal() }),
    unready: (input) => unready(deps, input, signal()),
  };
}
