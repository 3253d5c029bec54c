import type { Doubt } from '../../verdict.ts';
import type { ConnectionEvidence } from './connection.ts';
import { anyPortKey, doubtKey, type FlowGroup, groupWords } from './group.ts';

/** One group that people are to be asked about. */
export interface DoubtGroup {
  readonly group: FlowGroup;
  readonly count: number;
  readonly example: string;
  readonly unexplained: boolean;
}

export interface DoubtsSnapshot {
  readonly since: number | null;
  readonly groups: readonly DoubtGroup[];
  readonly overflow: number;
}

/** More ports than this of one peer are one question about all its ports. */
const SEPARATE_PORTS = 3;
/** Groups kept apart; beyond that only their number grows. */
const MOST = 300;

/** What is dropped and may be meant to be. */
export class Doubts {
  readonly #groups: Map<string, DoubtGroup>;
  #since: number | undefined;
  #overflow: number;

  constructor(from?: DoubtsSnapshot) {
    this.#groups = new Map((from?.groups ?? []).map((one) => [doubtKey(one.group), one]));
    this.#since = from?.since ?? undefined;
    this.#overflow = from?.overflow ?? 0;
  }

  /** Event time of the first of them. */
  get since(): number | undefined {
    return this.#since;
  }

  add({ at, group, example, cause }: ConnectionEvidence): void {
    this.#since ??= at;
    const key = doubtKey(group);
    const known = this.#groups.get(key);
    if (!known && this.#groups.size >= MOST) {
      this.#overflow += 1;
      return;
    }
    const unexplained = cause === 'unexplained';
    this.#groups.set(key, known ? { ...known, count: known.count + 1 } : { group, count: 1, example, unexplained });
  }

  /** Largest first. Ports that were accepted one by one count towards a scan: nobody is asked for ever. */
  list(accepted: ReadonlySet<string>): readonly Doubt[] {
    const peers = Map.groupBy(this.#groups.values(), ({ group }) => anyPortKey(group));
    const doubts = [...peers].flatMap(([key, groups]): Doubt[] => {
      const before = [...accepted].filter((each) => key.startsWith(`${each.split('/').slice(0, -2).join('/')}/`)).length;
      if (groups.length + before <= SEPARATE_PORTS) return groups.map(doubtOf);
      const count = groups.reduce((sum, one) => sum + one.count, 0);
      const [first] = groups;
      const { direction, peer } = first?.group ?? { direction: 'ingress', peer: { name: 'world' } };
      const where = direction === 'ingress' ? `from ${peer.name} to` : `to ${peer.name} on`;
      return [{ key, count, words: `${count} connections ${where} ${groups.length} ports (such as ${first?.example ?? ''})` }];
    });
    return doubts.toSorted((a, b) => b.count - a.count || a.key.localeCompare(b.key));
  }

  snapshot() {
    return {
      since: this.#since ?? null,
      groups: [...this.#groups.values()].map(({ group, ...one }) => {
        const { peer, direction, protocol, port } = group;
        return { ...one, group: { peer: { ...peer }, direction, protocol, ...(port !== undefined && { port }) } };
      }),
      overflow: this.#overflow,
    };
  }
}

function doubtOf({ group, count, example, unexplained }: DoubtGroup): Doubt {
  const why = unexplained ? ', although the policy seems to allow it' : '';
  return { key: doubtKey(group), count, words: `${count} connections ${groupWords(group)} (such as ${example})${why}` };
}
