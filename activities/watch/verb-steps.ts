import type { Flows } from '../../src/clients/hubble/flows.ts';
import type { RingContents, RingRequest } from '../../src/clients/hubble/ring.ts';
import type { Hub } from '../../src/clients/kubernetes/hub.ts';
import type { Prometheus } from '../../src/clients/prometheus/prometheus.ts';
import type { Shared, Steps } from '../../src/domain/lifecycle/contract.ts';
import type { AuditLog } from '../../src/ports.ts';
import type { WriteDeps } from '../writes/apply.ts';
import type { Recorder } from './recorder.ts';
import type { WatchDeps } from './run.ts';

/** How a cluster's gateways are probed: `off`, or by URL where the address in a Gateway's status is not the way from here. */
export type ProbeSettings = 'off' | { readonly gateways: Readonly<Record<string, string>> };

/** All that the steps of a verb may need; each takes what it uses. */
export interface VerbDeps extends WriteDeps {
  readonly hub: Hub;
  readonly flows: Flows;
  readonly prometheus?: Prometheus | undefined;
  /** Left out: not probed. */
  readonly probe?: ProbeSettings | undefined;
  readonly audit: AuditLog;
  /** Left out: what the judges hear is not kept. */
  readonly recorder?: Recorder | undefined;
  /** What Hubble still holds, for the dry-run of a plan. Left out: none is made. */
  readonly rings?: ((request: RingRequest, signal: AbortSignal) => Promise<RingContents>) | undefined;
  readonly editMessage: WatchDeps['editMessage'];
}

/** What `activities/<verb>/steps.ts` exports as `steps`. */
export type VerbSteps = (deps: VerbDeps) => Steps & {
  /** A stage that writes pods, with the pods that are there when it is written. Left out: it is written as planned. */
  readonly fill?: Shared['fill'];
};
