/** Answers of Slack kept for a short time, so that a busy channel does not use up the workspace's rate. */
export interface Cache<T> {
  /** The kept answer when it is younger than `maxAgeMs`, else a new one. Callers at the same moment share one call. Errors are never kept. */
  get(key: string, maxAgeMs: number): Promise<T>;
}

const MOST_ENTRIES = 5_000;

export function createCache<T>(read: (key: string) => Promise<T>, now: () => number): Cache<T> {
  const kept = new Map<string, { readonly at: number; readonly value: T }>();
  const asking = new Map<string, Promise<T>>();
  const ask = async (key: string): Promise<T> => {
    // Taken before the call: what is learned is at least as old as the question.
    const at = now();
    const value = await read(key);
    kept.delete(key);
    kept.set(key, { at, value });
    const oldest = kept.size > MOST_ENTRIES ? kept.keys().next().value : undefined;
    if (oldest !== undefined) kept.delete(oldest);
    return value;
  };
  return {
    get: (key, maxAgeMs) => {
      const known = kept.get(key);
      if (known && now() - known.at < maxAgeMs) return Promise.resolve(known.value);
      const shared = asking.get(key);
      // A fresh answer must not be one whose question was asked before the caller came.
      if (shared && maxAgeMs > 0) return shared;
      const mine = ask(key).finally(() => {
        if (asking.get(key) === mine) asking.delete(key);
      });
      asking.set(key, mine);
      return mine;
    },
  };
}
