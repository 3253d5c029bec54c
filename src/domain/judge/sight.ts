import * as z from 'zod';

/**
 * How long a node's stream may be away before the picture counts as incomplete (ms). A reconnect with replay takes well under a
 * second; at 2 s a canary that fails from now on would have hurt everybody for longer than the fuse is meant to take.
 */
export const BLIND_AFTER_MS = 2_000;

export const GapSnapshot = z.object({
  at: z.number(),
  reason: z.string(),
  lost: z.number(),
  told: z.boolean(),
  /** When it blinds, where that is not BLIND_AFTER_MS after `at`. */
  until: z.number().exactOptional(),
  /** The node is seen again. What was lost stays lost for the rest of the watch. */
  over: z.literal(true).exactOptional(),
});
type Gap = Readonly<z.infer<typeof GapSnapshot>>;

/** What is told of a node that is out of sight. */
interface Unseen {
  readonly at: number;
  readonly reason: string;
  /** Events that are known to be lost. */
  readonly lost?: number | undefined;
  /** What is missing comes later by all that is known, so it blinds only so long after `at`; the newest word counts. */
  readonly patienceMs?: number | undefined;
}

/** Which nodes cannot be seen just now. Lost events blind at once and are remembered; a stream that is merely away or late blinds after a while. */
export interface Sight {
  gap(node: string, unseen: Unseen): void;
  sight(node: string): void;
  /** Some node cannot be seen just now, however short. */
  readonly isHidden: boolean;
  /** The reason why the picture is incomplete at `now`; each gap is told once. */
  news(now: number): string | undefined;
  /**
   * The reason why it is incomplete at `now`, told or not. Events that were lost earlier in this watch count where they are more than
   * `tolerated`: so many would change nothing, whatever they were.
   */
  blind(now: number, tolerated?: number): string | undefined;
  /** The reason why it is incomplete just now, though not for long enough to be blind: what is missing may still come. */
  pending(now: number): string | undefined;
  snapshot(): Readonly<Record<string, Gap>>;
}

export function createSight(resumed: Readonly<Record<string, Gap>> = {}): Sight {
  return new Gaps(resumed);
}

/** A class, since there is one for each of thousands of watches. */
class Gaps implements Sight {
  readonly #gaps: Map<string, Gap>;
  /** Earliest time at which a gap that has not been told could blind: before it nothing need be looked at, however many nodes are away. */
  #due: number;
  #isHidden: boolean;

  constructor(resumed: Readonly<Record<string, Gap>>) {
    this.#gaps = new Map(Object.entries(resumed));
    this.#due = this.#gaps.size > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    this.#isHidden = this.#hides();
  }

  gap(node: string, unseen: Unseen): void {
    const gap = merged(this.#gaps.get(node), unseen);
    this.#gaps.set(node, gap);
    this.#due = Math.min(this.#due, dueOf(gap));
    this.#isHidden = true;
  }

  sight(node: string): void {
    const gap = this.#gaps.get(node);
    if (gap && gap.lost > 0) this.#gaps.set(node, { ...gap, over: true });
    else this.#gaps.delete(node);
    this.#isHidden = this.#hides();
  }

  /** Asked for each request. */
  get isHidden(): boolean {
    return this.#isHidden;
  }

  #hides(): boolean {
    return find(this.#gaps, ({ over }) => !over) !== undefined;
  }

  news(now: number): string | undefined {
    if (now <= this.#due) return undefined;
    const found = find(this.#gaps, (gap) => !gap.told && isBlind(gap, now));
    if (!found) {
      this.#due = Math.min(Number.POSITIVE_INFINITY, ...[...this.#gaps.values()].map(dueOf));
      return undefined;
    }
    this.#gaps.set(found[0], { ...found[1], told: true });
    return words(found);
  }

  blind(now: number, tolerated = 0): string | undefined {
    const earlier = [...this.#gaps.values()].reduce((sum, { over, lost }) => sum + (over ? lost : 0), 0);
    const found = find(this.#gaps, (gap) => isBlind(gap, now) && (!gap.over || earlier > tolerated));
    return found && words(found);
  }

  pending(now: number): string | undefined {
    const found = find(this.#gaps, (gap) => !gap.over && !isBlind(gap, now));
    return found && words(found);
  }

  snapshot(): Readonly<Record<string, Gap>> {
    return Object.fromEntries(this.#gaps);
  }
}

function merged(before: Gap | undefined, { at, reason, lost = 0, patienceMs }: Unseen): Gap {
  const since = before && !before.over ? before.at : at;
  const worse = lost > 0 && before?.lost === 0;
  const until =
    patienceMs === undefined ? Math.min(before && !before.over ? untilOf(before) : Infinity, at + BLIND_AFTER_MS) : at + patienceMs;
  const told = (before?.told ?? false) && !worse;
  const gap = { at: since, reason, lost: (before?.lost ?? 0) + lost, told };
  return until === since + BLIND_AFTER_MS ? gap : { ...gap, until };
}

function untilOf({ at, until = at + BLIND_AFTER_MS }: Gap): number {
  return until;
}

function isBlind(gap: Gap, now: number): boolean {
  return gap.lost > 0 || now > untilOf(gap);
}

function dueOf(gap: Gap): number {
  if (gap.told) return Number.POSITIVE_INFINITY;
  return gap.lost > 0 ? Number.NEGATIVE_INFINITY : untilOf(gap);
}

function find(gaps: ReadonlyMap<string, Gap>, wanted: (gap: Gap) => boolean): readonly [string, Gap] | undefined {
  for (const entry of gaps) if (wanted(entry[1])) return entry;
  return undefined;
}

function words([node, { reason, lost }]: readonly [string, Gap]): string {
  return lost > 0 ? `${lost} events of ${node} were lost (${reason})` : `${node} cannot be seen (${reason})`;
}
