/** An agent's memory of flows: a ring of 4,095, as Cilium's default, plus the streams that follow it. */
import type { Flow } from './flow.ts';

export const ringCapacity = 4_095;

/** What a follower receives: a flow, or word of flows that were lost. */
export type RingEvent =
  | { readonly kind: 'flow'; readonly flow: Flow }
  | { readonly kind: 'lost'; readonly source: LostSource; readonly count: number; readonly at: number }
  | { readonly kind: 'node-status'; readonly state: NodeState; readonly nodes: readonly string[]; readonly message: string };

export type LostEvent = Extract<RingEvent, { kind: 'lost' }>;
export type LostSource = 'PERF_EVENT_RING_BUFFER' | 'OBSERVER_EVENTS_QUEUE' | 'HUBBLE_RING_BUFFER';
export type NodeState = 'NODE_CONNECTED' | 'NODE_UNAVAILABLE' | 'NODE_GONE' | 'NODE_ERROR';

export interface Ring {
  /** Flows seen since the start, also those that the ring no longer holds. */
  readonly seen: number;
  push(event: RingEvent): void;
  /** The flows still held, oldest first. */
  flows(): readonly Flow[];
  /** What it says was lost, oldest first: a real ring holds that in its place among the flows, and tells whoever reads it. */
  losses(): readonly LostEvent[];
  /** Holds nothing any more, as after a restart; who follows goes on. */
  forget(): void;
  /** Calls back for each event from now on; the return value ends it. */
  follow(listener: (event: RingEvent) => void): () => void;
}

export interface RingOptions {
  readonly capacity?: number;
  /**
   * As Cilium's, whose newest flow nobody is given before the next one is there, by whatever request (v1.20.2 pkg/hubble/container/ring.go): on a quiet
   * node it comes late.
   */
  readonly withholds?: boolean;
}

/** Losses that are kept; as long as a ring is filled by flows they are few. */
const MOST_LOSSES = 100;

/** An empty ring; flows and losses are kept, the other events pass through. */
export function createRing({ capacity = ringCapacity, withholds = false }: RingOptions = {}): Ring {
  const kept: Flow[] = [];
  const losses: LostEvent[] = [];
  let newest: Flow | undefined;
  const listeners = new Set<(event: RingEvent) => void>();
  let seen = 0;
  /** How many had been seen when it forgot. */
  let forgotten = 0;
  return {
    get seen() {
      return seen;
    },
    push: (event) => {
      const before = newest;
      if (event.kind === 'flow') {
        kept[(seen - forgotten) % capacity] = event.flow;
        seen += 1;
        newest = event.flow;
      }
      if (event.kind === 'lost' && losses.push(event) > MOST_LOSSES) losses.shift();
      const told: RingEvent | undefined = event.kind !== 'flow' || !withholds ? event : before && { kind: 'flow', flow: before };
      if (told) for (const listener of listeners) listener(told);
    },
    flows: () => {
      const start = (seen - forgotten) % capacity;
      const all = seen - forgotten <= capacity ? kept.slice() : [...kept.slice(start), ...kept.slice(0, start)];
      return withholds ? all.slice(0, -1) : all;
    },
    losses: () => losses.slice(),
    forget: () => {
      losses.length = 0;
      newest = undefined;
      kept.length = 0;
      forgotten = seen;
    },
    follow: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
