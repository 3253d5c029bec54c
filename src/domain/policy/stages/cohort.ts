/** A pod that may go first. */
export interface CohortPod {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly ready: boolean;
  /** The controller that makes it anew when it goes; absent for a pod that nobody makes. */
  readonly maker?: PodMaker;
}

export interface PodMaker {
  readonly kind: string;
  readonly name: string;
}

/** Shares in percent of the pods, after the first one, where the command names none. */
const USUAL_SHARES: readonly number[] = [10, 50];
/** More pods than this are never labelled at once: each is an object of the plan, with an undo of its own, and 4 KB of every watch's input. */
export const MOST_LABELLED = 50;

/**
 * How many pods go first, in steps that rise strictly: one, then each share of all pods, rounded up. Never all of them, since the rest
 * must be left to serve if the policy is wrong; so a single pod has no cohort. `ready` bounds it: only ready pods go first.
 */
export function cohortSizes(pods: number, ready: number, shares: readonly number[] = USUAL_SHARES): readonly number[] {
  const most = Math.min(pods - 1, ready, MOST_LABELLED);
  const wanted = [1, ...shares.filter((share) => share > 0 && share < 100).map((share) => Math.ceil((pods * share) / 100))];
  const sizes: number[] = [];
  for (const size of wanted.toSorted((a, b) => a - b).map((one) => Math.min(one, most))) {
    if (size >= 1 && size > (sizes.at(-1) ?? 0)) sizes.push(size);
  }
  return sizes;
}

/** How the pods of one kind of workload go first. */
interface Kind {
  /** What a cohort takes a pod for: whoever is made in its place has its turn. */
  readonly place: (pod: CohortPod) => string;
  /** Pods of one queue go one after the other, the queues beside each other. */
  readonly queue: (pod: CohortPod) => string;
  /** Within a queue the highest goes first; absent: by chance. */
  readonly lead?: (pod: CohortPod) => number;
  /** They end by themselves, and their label with them: they go when nobody else is left. */
  readonly isLast?: true;
}

/** All pods of a ReplicaSet are alike: one is known by itself alone, and another comes elsewhere under another name. */
const ALIKE: Kind = { place: ({ uid }) => uid, queue: ({ node }) => node };
const KINDS: Readonly<Record<string, Kind>> = {
  // As a rolling update goes: from the highest ordinal down. A pod comes back under its name.
  StatefulSet: { place: ({ name }) => name, queue: ({ maker }) => `StatefulSet ${maker?.name}`, lead: ({ name }) => ordinalOf(name) },
  // One on each node, and comes back there under another name.
  DaemonSet: { place: ({ maker, node }) => `${maker?.name}/${node}`, queue: ({ node }) => node },
  Job: { ...ALIKE, isLast: true },
};

function kindOf({ maker }: CohortPod): Kind {
  return KINDS[maker?.kind ?? ''] ?? ALIKE;
}

function ordinalOf(name: string): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
}

/**
 * Ready pods in the order in which they go first: those of a StatefulSet from the highest ordinal down; of the others one of each node, then a second
 * of each, so that a cohort is spread as wide as it can be. The same pods and the same seed give the same order; a pod that comes or goes
 * elsewhere does not shuffle the rest of its node.
 */
export function cohortOrder(pods: readonly CohortPod[], seed: string): readonly CohortPod[] {
  // Each is hashed once: a namespace may have thousands, and to sort them asks for each a dozen times.
  const ranked = pods
    .filter((pod) => pod.ready)
    .map((pod) => {
      const kind = kindOf(pod);
      return { pod, kind, lead: kind.lead?.(pod) ?? 0, rank: hash(`${seed}/${kind.place(pod)}`) };
    });
  const ready = ranked.toSorted((a, b) => b.lead - a.lead || a.rank - b.rank || a.pod.name.localeCompare(b.pod.name));
  const turns = new Map<string, number>();
  const placed = ready.map(({ pod, kind }) => {
    const queue = kind.queue(pod);
    const turn = turns.get(queue) ?? 0;
    turns.set(queue, turn + 1);
    return { pod, turn: kind.isLast ? Number.MAX_SAFE_INTEGER : turn };
  });
  return placed.toSorted((a, b) => a.turn - b.turn).map(({ pod }) => pod);
}

/** FNV-1a, 32 bits: spreads names evenly and is the same on every machine. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return value;
}
