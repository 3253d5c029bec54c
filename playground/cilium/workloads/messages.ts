/** What the main thread and the two worker threads (pods, load) say to each other. */
import type { Delay } from '../delays.ts';
import type { Fault } from './fault.ts';
import type { DoorState, SeenRequest } from './gateway-door.ts';
import type { LoadCounts } from './load.ts';
import type { LoadTarget } from './load-target.ts';
import type { Protocol } from './pod-protocol.ts';

export type PodsRequest =
  | {
      readonly id: number;
      readonly do: 'open';
      readonly pod: string;
      readonly version: string;
      readonly protocol: Protocol;
      readonly seed: number;
    }
  | { readonly id: number; readonly do: 'fault'; readonly pod: string; readonly fault: Fault }
  | { readonly id: number; readonly do: 'door'; readonly pod: string; readonly state: DoorState }
  | { readonly id: number; readonly do: 'starve'; readonly pod: string; readonly starved: boolean }
  | { readonly id: number; readonly do: 'permit'; readonly ask: number; readonly permits: boolean }
  | { readonly id: number; readonly do: 'close'; readonly pod: string };

export interface PodsReply {
  readonly id: number;
  readonly port?: number;
  readonly gatewayPort?: number;
  readonly error?: string;
}

/** What happens at a pod's door; `port` is the proxy's. */
export type DoorEvent =
  | { readonly door: 'opened' | 'closed' | 'unheard'; readonly pod: string; readonly port: number }
  | { readonly door: 'ask'; readonly pod: string; readonly port: number; readonly ask: number; readonly request: SeenRequest }
  | {
      readonly door: 'answered';
      readonly pod: string;
      readonly port: number;
      readonly request: SeenRequest;
      readonly status: number;
      readonly latencyMs: number;
    };

export interface PodsData {
  readonly serviceTime: Delay;
}

export type LoadRequest = { readonly do: 'rate'; readonly requestsPerSecond: number } | { readonly do: 'counts' };

export interface LoadData {
  readonly target: LoadTarget;
  readonly requestsPerSecond: number;
  readonly maxInFlight: number;
  readonly patienceMs: number;
  readonly seed: number;
}

export interface LoadReply {
  readonly counts: LoadCounts;
  /** Share of one core that the load's thread used since it started. */
  readonly cpu: number;
}
