/** Work that goes on after its caller was answered, so that a shutdown can wait for it. Bolt's own `stop` does not. */
export interface InFlight {
  /** `undefined` when `limit` pieces of work are under way already. */
  track<T>(work: () => Promise<T>): Promise<T> | undefined;
  readonly size: number;
  /** Waits until all is done, at most `timeoutMs`; returns how many were left. */
  drain(timeoutMs: number): Promise<number>;
}

export function createInFlight(limit = 500): InFlight {
  const running = new Set<Promise<unknown>>();
  return {
    track: (work) => {
      if (running.size >= limit) return undefined;
      const done = work();
      const quiet: Promise<unknown> = done.then(
        () => running.delete(quiet),
        () => running.delete(quiet),
      );
      running.add(quiet);
      return done;
    },
    get size() {
      return running.size;
    },
    drain: async (timeoutMs) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      const all = (async () => {
        while (running.size > 0) await Promise.all(running);
      })();
      await Promise.race([all, late]);
      clearTimeout(timer);
      return running.size;
    },
  };
}
