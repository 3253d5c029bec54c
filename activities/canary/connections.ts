import type { Side } from './sides.ts';

/** Connections of gateways to pods whose packets are dropped. */
export interface Connections {
  /**
   * Once for each, when a packet sent after this one could not be answered within the limit: event time of the first one that was dropped. `opens`: it
   * was a SYN.
   */
  dropped(key: string, side: Side, at: number, opens: boolean): number | undefined;
  /** As `DropReader.take`. */
  take(side: Side, now: number): boolean;
}

interface Dropped {
  readonly first: number;
  readonly last: number;
  readonly told: boolean;
}

/** A SYN is sent again after a second (RFC 6298), data after at least 200 ms (Linux TCP_RTO_MIN), then later each time. */
const SYN_AGAIN_MS = 1_000;
const DATA_AGAIN_MS = 200;
/** What has not come back as an error by then never will: Cilium's gateway gives up connecting after 5 s. */
const COMES_BACK_MS = 10_000;
const MOST = 10_000;

export function createConnections(limitMs: number): Connections {
  const known = new Map<string, Dropped>();
  const toldAt: Record<Side, number[]> = { canary: [], stable: [] };
  return {
    dropped(key, side, at, opens) {
      const before = known.get(key);
      // The same ports after a long time are another connection.
      const isSame = before !== undefined && at - before.last < COMES_BACK_MS;
      const first = isSame ? before.first : at;
      const again = opens ? SYN_AGAIN_MS : Math.max(DATA_AGAIN_MS, isSame ? at - before.last : 0);
      const lost = at - first + again >= limitMs;
      const isNew = lost && !(isSame && before.told);
      known.delete(key);
      known.set(key, { first, last: at, told: lost || (isSame && before.told) });
      if (known.size > MOST) known.delete(known.keys().next().value ?? '');
      if (isNew) toldAt[side].push(at);
      return isNew ? first : undefined;
    },
    take(side, now) {
      const times = toldAt[side];
      while (times[0] !== undefined && times[0] < now - COMES_BACK_MS) times.shift();
      return times.shift() !== undefined;
    },
  };
}
