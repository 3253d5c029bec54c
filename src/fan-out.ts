/** What a plan asks the API server at once. Its deadlines begin with the call, so more would only fail more. */
export const AT_ONCE = 16;
/** What an undo writes at once: it is urgent, and goes before plans. */
export const URGENT_AT_ONCE = 64;

/** Does `work` for every item, at most `limit` at a time; results in the order of the items. The first failure ends it. */
export async function inParallel<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results = new Map<number, R>();
  const left = items.entries();
  let failed = false;
  const one = async (): Promise<void> => {
    for (const [index, item] of left) {
      if (failed) return;
      try {
        results.set(index, await work(item));
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, one));
  return items.flatMap((_, index) => (results.has(index) ? [results.get(index) as R] : []));
}
