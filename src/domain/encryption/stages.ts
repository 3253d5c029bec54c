// In which order the nodes of a cluster are changed.

/** A node as far as the order goes. */
export interface PlacedNode {
  readonly name: string;
  /** Its failure domain; nodes without one are a domain together. */
  readonly zone?: string;
}

/** The nodes that hold the pods of one workload. */
export interface Spread {
  readonly workload: string;
  readonly nodes: readonly string[];
}

export interface NodeStage {
  /** Share of all nodes that are changed when it is done, 0..1. */
  readonly share: number;
  /** Nodes that it adds, in batches: the agents of one batch restart together, one batch after the other. */
  readonly batches: readonly (readonly string[])[];
}

export interface StageOptions {
  /** Shares of the nodes, rising; the first stage is one node whatever they say. Default 10%, 50%, all. */
  readonly shares?: readonly number[];
  /** Agents that may be away at once. Default 1. */
  readonly mostAway?: number;
}

/**
 * Stages of one node, then the shares, then all.
 *
 * A zone is finished before the next is begun, and no batch spans two. No batch holds all the pods of a workload that has them on more than
 * one node; and as long as it can be avoided, no stage but the last leaves a workload with pods on changed nodes alone.
 */
export function planStages(nodes: readonly PlacedNode[], spreads: readonly Spread[], options: StageOptions = {}): readonly NodeStage[] {
  const { shares = [0.1, 0.5, 1], mostAway = 1 } = options;
  const together = byNode(spreads);
  const order = inOrder(nodes, together);
  const sizes = [1, ...shares.map((share) => Math.ceil(share * nodes.length)), nodes.length];
  const steps = [...new Set(sizes.map((size) => Math.min(size, nodes.length)))].filter((size) => size > 0).toSorted((a, b) => a - b);
  let done = 0;
  return steps.map((size) => {
    const added = order.slice(done, size);
    done = size;
    return { share: size / nodes.length, batches: batched(added, together, Math.max(1, Math.floor(mostAway))) };
  });
}

/** Zone by zone, the smallest first; within one, nodes that leave a workload without an unchanged pod come as late as can be. */
function inOrder(nodes: readonly PlacedNode[], together: Together): readonly PlacedNode[] {
  const zones = new Map<string, PlacedNode[]>();
  for (const node of nodes) zones.set(node.zone ?? '', [...(zones.get(node.zone ?? '') ?? []), node]);
  const queue = [...zones.entries()]
    .toSorted(([a, one], [b, other]) => one.length - other.length || compare(a, b))
    .flatMap(([, members]) => members.toSorted((a, b) => compare(a.name, b.name)));
  const order: PlacedNode[] = [];
  const changed = new Set<string>();
  const left = [...queue];
  while (left.length > 0) {
    const zone = left[0]?.zone;
    const within = left.filter((node) => node.zone === zone);
    const next = within.find((node) => !completes(node.name, changed, together)) ?? within[0];
    if (!next) break;
    left.splice(left.indexOf(next), 1);
    order.push(next);
    changed.add(next.name);
  }
  return order;
}

/** The workloads with pods on more than one node, by each of these. */
type Together = ReadonlyMap<string, readonly (readonly string[])[]>;

function byNode(spreads: readonly Spread[]): Together {
  const found = new Map<string, (readonly string[])[]>();
  for (const { nodes } of spreads) {
    const places = [...new Set(nodes)];
    if (places.length < 2) continue;
    for (const node of places) {
      const list = found.get(node);
      if (list) list.push(places);
      else found.set(node, [places]);
    }
  }
  return found;
}

/** With this node too, some workload would have pods on nodes of the set alone. */
function completes(node: string, set: ReadonlySet<string>, together: Together): boolean {
  return (together.get(node) ?? []).some((places) => places.every((name) => name === node || set.has(name)));
}

function batched(nodes: readonly PlacedNode[], together: Together, most: number): readonly (readonly string[])[] {
  const batches: { readonly zone: string | undefined; readonly names: string[] }[] = [];
  for (const { name, zone } of nodes) {
    // Only the last batch is filled up: the order of the nodes stays what it is.
    const last = batches.at(-1);
    const joins = last && last.zone === zone && last.names.length < most && !completes(name, new Set(last.names), together);
    if (joins) last.names.push(name);
    else batches.push({ zone, names: [name] });
  }
  return batches.map(({ names }) => names);
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Tunnel mode: every agent at once, since two nodes that differ lose what they send each other. */
export function synchronisedWindow(nodes: readonly PlacedNode[]): readonly NodeStage[] {
  return nodes.length === 0 ? [] : [{ share: 1, batches: [nodes.map(({ name }) => name).toSorted(compare)] }];
}

/** What a change costs in traffic between nodes that is lost, as measured on unmodified agents of Cilium 1.20.2 (docs/encryption.md). */
export function costOf(change: 'on' | 'off', tunnel: boolean): string {
  if (change === 'on') {
    return tunnel
      ? 'none if all agents restart within 3.5 s of each other, else what is sent in the time beyond that'
      : 'none when it was measured';
  }
  return tunnel ? 'about 5 s, everywhere at once' : 'about 3 s, for each node';
}
