import type { Doubt } from '../../judge/verdict.ts';
import { plural } from '../../words/words.ts';
import type { ConnectionEvidence } from './connection.ts';
import { anyAddressKey, anyPortKey, doubtKey, type FlowGroup, groupWords } from './group.ts';

/** One group that people are to be asked about. */
interface DoubtGroup {
  readonly group: FlowGroup;
  readonly count: number;
  readonly example: string;
  readonly unexplained: boolean;
  /** Only the shadow lets it through. */
  readonly hidden?: boolean | undefined;
  /** Of an address without a name: the pods that have used it so. Absent: nobody can say, and what has been seen stands. */
  readonly pods?: readonly string[] | undefined;
}

interface DoubtsSnapshot {
  readonly since: number | null;
  /** Absent: as `since`. */
  readonly news?: number | null | undefined;
  readonly groups: readonly DoubtGroup[];
  readonly overflow: number;
}

/** More ports than this of one peer are one question about all its ports. */
const SEPARATE_PORTS = 3;
/** More addresses than this at one port are one question about every address. */
const SEPARATE_ADDRESSES = 5;
/** What is accepted is what was counted, with room for clients that try again: this many times the count, and at least so many, in each step. */
const ROOM = 3;
const LEAST_ROOM = 10;
/** Groups kept apart; beyond that only their number grows. */
const MOST = 300;
/** Pods remembered for each of them. */
const MOST_PODS = 100;

/** What is dropped and may be meant to be. */
export class Doubts {
  readonly #groups: Map<string, DoubtGroup>;
  #since: number | undefined;
  #news: number | undefined;
  #overflow: number;

  constructor(from?: DoubtsSnapshot) {
    this.#groups = new Map((from?.groups ?? []).map((one) => [doubtKey(one.group), one]));
    this.#since = from?.since ?? undefined;
    this.#news = (from?.news === undefined ? from?.since : from.news) ?? undefined;
    this.#overflow = from?.overflow ?? 0;
  }

  /** Event time of the first of them. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Event time of the first that nobody has been asked about. */
  get news(): number | undefined {
    return this.#news;
  }

  /** Is this one known to have been asked about? Then it is told at the end, not asked again now. */
  add({ at, group, example, cause, pod, address }: ConnectionEvidence, isPostponed = false): void {
    if (!isPostponed) this.#news ??= at;
    this.#since ??= at;
    const key = doubtKey(group);
    const known = this.#groups.get(key);
    if (!known && this.#groups.size >= MOST) {
      this.#overflow += 1;
      return;
    }
    const unexplained = cause === 'unexplained';
    const hidden = cause === 'hidden' ? { hidden: true } : {};
    const isNameless = group.where !== undefined && group.where === address && pod !== undefined;
    const before = known ? known.pods : [];
    const pods = isNameless && before && before.length < MOST_PODS ? { pods: [...new Set([...before, pod])] } : { pods: undefined };
    this.#groups.set(
      key,
      known ? { ...known, count: known.count + 1, ...pods } : { group, count: 1, example, unexplained, ...hidden, ...pods },
    );
  }

  /**
   * A pod is let through to an address that had no name when it used it before: what it did then says nothing any more. Returns how many
   * connections are no doubt by now: all of them, once that is so for each pod.
   */
  withdraw({ group: { direction, port, protocol }, address, pod }: ConnectionEvidence): number {
    for (const [key, known] of this.#groups) {
      const { group, pods, count } = known;
      if (group.where !== address || group.direction !== direction || group.port !== port || group.protocol !== protocol) continue;
      if (pod === undefined || !pods?.includes(pod)) continue;
      const left = pods.filter((one) => one !== pod);
      if (left.length > 0) {
        this.#groups.set(key, { ...known, pods: left });
        return 0;
      }
      this.#groups.delete(key);
      if (this.#groups.size === 0 && this.#overflow === 0) [this.#since, this.#news] = [undefined, undefined];
      return count;
    }
    return 0;
  }

  /**
   * Largest first. Ports that were accepted one by one count towards a scan: nobody is asked for ever. `counted`: how many were dropped as accepted, by
   * key. Whoever accepts more of a key accepts these as well: a watch that goes on hears all of its stage again.
   */
  list(accepted: ReadonlySet<string>, counted: ReadonlyMap<string, number> = new Map()): readonly Doubt[] {
    const scans = Map.groupBy(this.#groups.values(), ({ group }) => anyPortKey(group));
    const apart: DoubtGroup[] = [];
    const doubts: Doubt[] = [];
    for (const [key, groups] of scans) {
      const peer = key.slice(0, -'*/*'.length);
      const before = [...accepted].filter((each) => each.startsWith(peer) && !each.includes('#')).length;
      const ports = new Set(groups.map(({ group }) => `${group.port}/${group.protocol}`)).size;
      if (ports + before <= SEPARATE_PORTS) apart.push(...groups);
      else doubts.push(scanOf(key, groups, ports));
    }
    for (const [key, groups] of Map.groupBy(apart, ({ group }) => anyAddressKey(group))) {
      if (groups.length <= SEPARATE_ADDRESSES) doubts.push(...groups.map(doubtOf));
      else doubts.push(crowdOf(key, groups));
    }
    return doubts
      .map((doubt) => ({ ...doubt, most: mostOf(doubt.count + (counted.get(doubt.key) ?? 0)) }))
      .toSorted((a, b) => b.count - a.count || a.key.localeCompare(b.key));
  }

  snapshot() {
    return {
      since: this.#since ?? null,
      news: this.#news ?? null,
      groups: [...this.#groups.values()].map(({ group, pods, ...one }) => {
        const { peer, direction, protocol, port, where, request } = group;
        const rest = {
          ...(port !== undefined && { port }),
          ...(where !== undefined && { where }),
          ...(request !== undefined && { request }),
        };
        return { ...one, ...(pods && { pods: [...pods] }), group: { peer: { ...peer }, direction, protocol, ...rest } };
      }),
      overflow: this.#overflow,
    };
  }
}

function doubtOf({ group, count, example, unexplained, hidden }: DoubtGroup): Doubt {
  const why = hidden
    ? ', which another policy denies and only the shadow lets through until it is removed'
    : unexplained
      ? ', although the policy seems to allow it'
      : '';
  const unit = group.request === undefined ? 'connection' : 'request';
  return {
    key: doubtKey(group),
    count,
    words: `${count} ${unit}${count === 1 ? '' : 's'} ${groupWords(group)} (such as ${example})${why}`,
  };
}

/** One peer that tries many ports. */
function scanOf(key: string, groups: readonly DoubtGroup[], ports: number): Doubt {
  const [first] = groups;
  const { direction, peer, where } = first?.group ?? { direction: 'ingress', peer: { name: 'world' }, where: undefined };
  const who = where ?? peer.name;
  const ends = direction === 'ingress' ? `from ${who} to any port` : `to ${who} on any port`;
  const count = sum(groups);
  return { key, count, words: `${plural(count, 'connection')} ${ends} (${plural(ports, 'port')} so far, such as ${first?.example ?? ''})` };
}

/** Many addresses at one port. */
function crowdOf(key: string, groups: readonly DoubtGroup[]): Doubt {
  const [first] = groups;
  const count = sum(groups);
  const anyone = first ? groupWords({ ...first.group, where: 'any address outside' }) : '';
  return {
    key,
    count,
    words: `${plural(count, 'connection')} ${anyone} (${groups.length} addresses so far, such as ${first?.example ?? ''})`,
  };
}

function sum(groups: readonly DoubtGroup[]): number {
  return groups.reduce((all, { count }) => all + count, 0);
}

/** How many of a kind may come in one step where so many were counted before people accepted it. */
function mostOf(count: number): number {
  return Math.max(LEAST_ROOM, ROOM * count);
}

/** The same for the keys of a command: bounded by what its dry-run has counted, which is what was shown. */
export function mostAccepted({ accept = [], counted = {} }: Accepting): Readonly<Record<string, number>> {
  return Object.fromEntries(accept.map((key) => [key, mostOf(counted[key] ?? 0)]));
}

interface Accepting {
  readonly accept?: readonly string[];
  readonly counted?: Readonly<Record<string, number>>;
}
