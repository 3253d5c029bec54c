/** What the main thread and the two worker threads (pods, load) say to each other. */
import type { Delay } from '../delays.ts';
import type { Fault } from './fault.ts';
import type { LoadCounts } from './load.ts';

export type PodsRequest =
  | { readonly id: number; readonly do: 'open'; readonly pod: string; readonly version: string; readonly seed: number }
  | { readonly id: number; readonly do: 'fault'; readonly pod: string; readonly fault: Fault }
  | { readonly id: number; readonly do: 'close'; readonly pod: string };

export interface PodsReply {
  readonly id: number;
  readonly port?: number;
  readonly gatewayPort?: number;
  readonly error?: string;
}

export interface PodsData {
  readonly serviceTime: Delay;
}

export type LoadRequest = { readonly do: 'rate'; readonly requestsPerSecond: number } | { readonly do: 'counts' };

export interface LoadData {
  readonly url: string;
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
