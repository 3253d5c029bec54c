/** Remembers the last `limit` keys. */
export interface Recent {
  /** True when the key is new. */
  add(key: string): boolean;
  readonly size: number;
}

export function createRecent(limit: number): Recent {
  // A Set iterates in the order of insertion, so its first key is the oldest.
  const keys = new Set<string>();
  return {
    add(key) {
      if (keys.has(key)) return false;
      keys.add(key);
      if (keys.size > limit)
        for (const oldest of keys) {
          keys.delete(oldest);
          break;
        }
      return true;
    },
    get size() {
      return keys.size;
    },
  };
}
