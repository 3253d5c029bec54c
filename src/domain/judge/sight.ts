/**
 * How long a node's stream may be away before the picture counts as incomplete (ms). A reconnect with replay takes well under a
 * second; at 2 s a canary that fails from now on would have hurt everybody for longer than the fuse is meant to take.
 */
export const BLIND_AFTER_MS = 2_000;

interface Gap {
  readonly at: number;
  readonly reason: string;
  readonly lost: number;
  readonly told: boolean;
}

/** Which nodes cannot be seen just now. Lost events blind at once; a stream that is merely away blinds after BLIND_AFTER_MS. */
export interface Sight {
  gap(node: string, at: number, reason: string, lost: number): void;
  sight(node: string): void;
  /** The reason why the picture is incomplete at `now`; each gap is told once. */
  news(now: number): string | undefined;
  /** The reason why it is incomplete at `now`, told or not. */
  blind(now: number): string | undefined;
  snapshot(): Readonly<Record<string, Gap>>;
}

export function createSight(resumed: Readonly<Record<string, Gap>> = {}): Sight {
  const gaps = new Map<string, Gap>(Object.entries(resumed));
  const isBlind = (gap: Gap, now: number) => gap.lost > 0 || now - gap.at > BLIND_AFTER_MS;
  const find = (now: number, onlyNew: boolean): readonly [string, Gap] | undefined => {
    for (const entry of gaps) if (isBlind(entry[1], now) && !(onlyNew && entry[1].told)) return entry;
    return undefined;
  };
  /** Earliest time at which a gap that has not been told could blind: before it nothing need be looked at, however many nodes are away. */
  let due = gaps.size > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const dueOf = ({ at, lost, told }: Gap): number => {
    if (told) return Number.POSITIVE_INFINITY;
    return lost > 0 ? Number.NEGATIVE_INFINITY : at + BLIND_AFTER_MS;
  };
  const words = ([node, { reason, lost }]: readonly [string, Gap]) =>
    lost > 0 ? `${lost} events of ${node} were lost (${reason})` : `${node} cannot be seen (${reason})`;
  return {
    gap(node, at, reason, lost) {
      const before = gaps.get(node);
      const worse = lost > 0 && before?.lost === 0;
      const gap = { at: before?.at ?? at, reason, lost: (before?.lost ?? 0) + lost, told: (before?.told ?? false) && !worse };
      gaps.set(node, gap);
      due = Math.min(due, dueOf(gap));
    },
    sight(node) {
      gaps.delete(node);
    },
    news(now) {
      if (gaps.size === 0 || now <= due) return undefined;
      const found = find(now, true);
      if (!found) {
        due = Math.min(Number.POSITIVE_INFINITY, ...[...gaps.values()].map(dueOf));
        return undefined;
      }
      gaps.set(found[0], { ...found[1], told: true });
      return words(found);
    },
    blind(now) {
      const found = find(now, false);
      return found && words(found);
    },
    snapshot: () => Object.fromEntries(gaps),
  };
}
