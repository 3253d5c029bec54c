/** An agent's memory of flows: a ring of 4,095, as Cilium's default, plus the streams that follow it. */
import type { Flow } from './flow.ts';

export const ringCapacity = 4_095;

/** What a follower receives: a flow, or word of flows that were lost. */
export type RingEvent =
  | { readonly kind: 'flow'; readonly flow: Flow }
  | { readonly kind: 'lost'; readonly source: LostSource; readonly count: number; readonly at: number }
  | { readonly kind: 'node-status'; readonly state: NodeState; readonly nodes: readonly string[]; readonly message: string };

export type LostSource = 'PERF_EVENT_RING_BUFFER' | 'OBSERVER_EVENTS_QUEUE' | 'HUBBLE_RING_BUFFER';
export type NodeState = 'NODE_CONNECTED' | 'NODE_UNAVAILABLE' | 'NODE_GONE' | 'NODE_ERROR';

export interface Ring {
  /** Flows seen since the start, also those that the ring no longer holds. */
  readonly seen: number;
  push(event: RingEvent): void;
  /** The flows still held, oldest first. */
  flows(): readonly Flow[];
  /** Holds nothing any more, as after a restart; who follows goes on. */
  forget(): void;
  /** Calls back for each event from now on; the return value ends it. */
  follow(listener: (event: RingEvent) => void): () => void;
}

/** An empty ring; only flows are kept, the other events pass through. */
export const createRing = (capacity: number = ringCapacity): Ring => {
  const kept: Flow[] = [];
  const listeners = new Set<(event: RingEvent) => void>();
  let seen = 0;
  /** How many had been seen when it forgot. */
  let forgotten = 0;
  return {
    get seen() {
      return seen;
    },
    push: (event) => {
      if (event.kind === 'flow') {
        kept[(seen - forgotten) % capacity] = event.flow;
        seen += 1;
      }
      for (const listener of listeners) listener(event);
    },
    flows: () => {
      const start = (seen - forgotten) % capacity;
      return seen - forgotten <= capacity ? kept.slice() : [...kept.slice(start), ...kept.slice(0, start)];
    },
    forget: () => {
      kept.length = 0;
      forgotten = seen;
    },
    follow: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
