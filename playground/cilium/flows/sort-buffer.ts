/** Relay's sort buffer (v1.20.2 pkg/hubble/relay/observer): flows of many nodes leave in the order of time, as far as it reaches. */
export interface SortBuffer<T> {
  push(at: number, item: T): void;
  /** Ends the timer; what is held is dropped. */
  stop(): void;
}

export interface SortBufferOptions<T> {
  /** `hubble.relay.sortBufferLenMax`. */
  readonly capacity: number;
  /** `hubble.relay.sortBufferDrainTimeout`, in milliseconds. */
  readonly drainMs: number;
  readonly now: () => number;
  readonly out: (item: T) => void;
}

/** Cilium's defaults. */
export const sortBufferDefaults = { capacity: 100, drainMs: 1_000 } as const;

/** Holds items until it is full, then lets the oldest go; `drainMs` after the last arrival everything older than that leaves. */
export function createSortBuffer<T>(options: SortBufferOptions<T>): SortBuffer<T> {
  const held: { readonly at: number; readonly item: T }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const drain = (): void => {
    const until = options.now() - options.drainMs;
    while (held[0] && held[0].at <= until) options.out((held.shift() as (typeof held)[number]).item);
    // Newer ones wait for the next turn, as they do in Relay.
    timer = held.length > 0 ? setTimeout(drain, options.drainMs) : undefined;
  };
  return {
    push: (at, item) => {
      if (held.length >= options.capacity) options.out((held.shift() as (typeof held)[number]).item);
      let place = held.length;
      while (place > 0 && (held[place - 1]?.at ?? 0) > at) place -= 1;
      held.splice(place, 0, { at, item });
      clearTimeout(timer);
      timer = setTimeout(drain, options.drainMs);
    },
    stop: () => clearTimeout(timer),
  };
}
