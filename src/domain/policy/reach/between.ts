import type { CompileWorld, PolicyPeer } from '../flow.ts';
import type { Identity } from '../identity.ts';
import { DIRECTIONS, type Direction } from '../policy.ts';
import type { CompiledRule } from '../rules.ts';
import { podClasses } from './labels.ts';
import { spaceOf, whatsOf } from './space.ts';
import { namedPortsFor, type State, States, type What } from './states.ts';

/** One flow for which a state between two is looser or tighter than both of them. */
export interface Breach {
  /** `opens`: denied before and in the end, allowed in between. `closes`: allowed before and in the end, denied in between. */
  readonly kind: 'opens' | 'closes';
  readonly state: string;
  readonly source: PolicyPeer;
  readonly destination: PolicyPeer;
  readonly what: What;
  /** The side that decides; undefined where it takes both. */
  readonly direction: Direction | undefined;
}

export interface Between {
  readonly breach: Breach | undefined;
  /** Some classes were left out: no breach among the rest proves nothing. */
  readonly cut: boolean;
}

interface BetweenInput {
  /** Before, in the end, and every moment between. */
  readonly before: State;
  readonly after: State;
  readonly states: readonly State[];
  readonly world: CompileWorld;
}

const MOST_PODS = 2_000;
const MOST_SUBJECTS = 200;
const MOST_PAIRS = 4_000;

/**
 * Is any state looser than the looser, or tighter than the tighter, of before and after? Decided over every pair of identities, every port
 * and every kind of request that the rules tell apart. Yields often, so that a caller can let others have their turn.
 */
export function* between(input: BetweenInput): Generator<undefined, Between> {
  const clusterName = input.world.clusterName ?? 'default';
  const all = new States([input.before, input.after, ...input.states], input.world);
  const { subjects, cut } = subjectsOf(all, clusterName, 'subjects');
  let isCut = cut;
  const crossing = { opens: new Set<Direction>(), closes: new Set<Direction>() };
  for (const subject of subjects) {
    for (const direction of DIRECTIONS) {
      const found = yield* oneSide(all, subject, direction, { crossing, clusterName });
      if (found.breach) return found;
      isCut ||= found.cut;
    }
  }
  // One end may open while the other closes: what neither end of the way allows can be allowed in the middle of it.
  const other = { ingress: 'egress', egress: 'ingress' } as const;
  const crosses = DIRECTIONS.some((direction) => crossing.opens.has(direction) && crossing.closes.has(other[direction]));
  const found = crosses ? yield* bothSides(all, clusterName) : { breach: undefined, cut: false };
  return { breach: found.breach, cut: isCut || found.cut };
}

interface OneSide {
  readonly crossing: { readonly opens: Set<Direction>; readonly closes: Set<Direction> };
  readonly clusterName: string;
}

function* oneSide(all: States, subject: Identity, direction: Direction, { crossing, clusterName }: OneSide): Generator<undefined, Between> {
  const { distinct } = all.selecting(subject)[direction];
  if (distinct.length === 1) return { breach: undefined, cut: false };
  const rules = [...new Set(distinct.flatMap((side) => side.rules))];
  const { peers, whats, cut } = spaceOf(all, rules, subject, direction, clusterName);
  for (const peer of peers) {
    yield undefined;
    for (const what of whats) {
      const [before, after, ...states] = all.allows(subject, direction, peer, what);
      if (before !== after) crossing[after ? 'opens' : 'closes'].add(direction);
      const place = before === after ? states.findIndex((allowed) => allowed !== before) : -1;
      if (place < 0) continue;
      const ends =
        direction === 'ingress' ? { source: peer.peer, destination: subject.peer } : { source: subject.peer, destination: peer.peer };
      return { breach: { kind: before ? 'closes' : 'opens', state: all.names[place + 2] ?? '', ...ends, what, direction }, cut };
    }
  }
  return { breach: undefined, cut };
}

/** Flows between two pods that are both under what changes. */
function* bothSides(all: States, clusterName: string): Generator<undefined, Between> {
  const { subjects, cut } = subjectsOf(all, clusterName, 'peers');
  if (cut || subjects.length ** 2 > MOST_PAIRS) return { breach: undefined, cut: true };
  for (const source of subjects) {
    for (const destination of subjects) {
      yield undefined;
      const sides = (one: Identity, direction: Direction) => all.selecting(one)[direction].distinct.flatMap((side) => side.rules);
      const rules: readonly CompiledRule[] = [...new Set([...sides(source, 'egress'), ...sides(destination, 'ingress')])];
      for (const what of whatsOf(all, rules, destination.namedPorts, 'ingress').whats) {
        const outward = all.allows(source, 'egress', destination, what);
        const inward = all.allows(destination, 'ingress', source, what);
        const [before, after, ...states] = outward.map((allowed, index) => allowed && (inward[index] ?? true));
        const place = before === after ? states.findIndex((allowed) => allowed !== before) : -1;
        if (place < 0) continue;
        const ends = { source: source.peer, destination: destination.peer };
        return {
          breach: { kind: before ? 'closes' : 'opens', state: all.names[place + 2] ?? '', ...ends, what, direction: undefined },
          cut: false,
        };
      }
    }
  }
  return { breach: undefined, cut: false };
}

/**
 * Pods that some rule selects which is not in force all the time: one for every set of rules that can select a pod together; with `peers`,
 * one for every set of selectors of any kind.
 */
export function subjectsOf(
  all: States,
  clusterName: string,
  by: 'subjects' | 'peers',
): { readonly subjects: readonly Identity[]; readonly cut: boolean } {
  const { changing, rules } = all;
  const places = [...new Set(rules.flatMap(({ subject, peers }) => (by === 'subjects' ? [subject] : [subject, ...peers.labels])))];
  const pods = podClasses(
    places.map((place) => all.requirements(place)),
    clusterName,
    MOST_PODS,
  );
  const namedPorts = namedPortsFor(rules);
  const subjects = pods.members
    .map((labels) => all.identity({ labels, ip: '10.0.0.8', namedPorts }))
    .filter(({ labels }) => changing.some(({ subject }) => all.table.matches(subject, labels)));
  return { subjects: subjects.slice(0, MOST_SUBJECTS), cut: pods.cut || subjects.length > MOST_SUBJECTS };
}
