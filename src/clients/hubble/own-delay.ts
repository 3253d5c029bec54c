/** How long this process was away itself: what waited for it in that time is late by its own fault, and not lost. */
export interface OwnDelay {
  /** Milliseconds of the last `windowMs` in which the event loop did not come round in time; at most the last 60 s are remembered. */
  within(windowMs: number): number;
  close(): void;
}

/** The loop is looked at this often (ms). */
const EVERY_MS = 50;
/** A timer is never quite on time; less than this is nothing (ms). */
const IGNORED_MS = 10;
const REMEMBERED_MS = 60_000;

/** Measures by a timer that is late when the loop is: long work, a collection of garbage, or a processor that others have. */
export function measureOwnDelay(clock: () => number = () => performance.now()): OwnDelay {
  const late: { readonly end: number; readonly ms: number }[] = [];
  let expected = clock() + EVERY_MS;
  const look = (): void => {
    const end = clock();
    const ms = end - expected;
    expected = end + EVERY_MS;
    if (ms > IGNORED_MS) late.push({ end, ms });
    while (late[0] && late[0].end < end - REMEMBERED_MS) late.shift();
  };
  const timer = setInterval(look, EVERY_MS).unref();
  return {
    within(windowMs) {
      const now = clock();
      const from = now - windowMs;
      // The loop may be late just now, before its timer could say so.
      const present = Math.max(0, now - Math.max(expected, from));
      const before = late.reduce((sum, { end, ms }) => sum + Math.max(0, Math.min(ms, end - from)), 0);
      return before + (present > IGNORED_MS ? present : 0);
    },
    close: () => clearInterval(timer),
  };
}
