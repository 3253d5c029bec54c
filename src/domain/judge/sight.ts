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
  const words = ([node, { reason, lost }]: readonly [string, Gap]) =>
    lost > 0 ? `${lost} events of ${node} were lost (${reason})` : `${node} cannot be seen (${reason})`;
  return {
    gap(node, at, reason, lost) {
      const before = gaps.get(node);
      const worse = lost > 0 && before?.lost === 0;
      gaps.set(node, { at: before?.at ?? at, reason, lost: (before?.lost ?? 0) + lost, told: (before?.told ?? false) && !worse });
    },
    sight(node) {
      gaps.delete(node);
    },
    news(now) {
      if (gaps.size === 0) return undefined;
      const found = find(now, true);
      if (!found) return undefined;
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
