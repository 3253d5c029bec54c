import { isTunnel } from './mode.ts';
import type { NodeReading, Reading } from './reading.ts';

/** What becomes of a packet from a pod of one node to a pod of another, by what both have published. Nothing of it was seen on the wire. */
export type PairState = 'encrypted' | 'plain' | 'broken' | 'changing' | 'unknown';

export const PAIR_STATES: readonly PairState[] = ['encrypted', 'plain', 'broken', 'changing', 'unknown'];

export interface Pairs {
  readonly nodes: readonly string[];
  /** One row for each sender, one place for each receiver, both in the order of `nodes`; the diagonal is undefined. */
  readonly rows: readonly (readonly (PairState | undefined)[])[];
  readonly counts: Readonly<Record<PairState, number>>;
}

/**
 * The state of every ordered pair of nodes.
 *
 * Native routing: a sender encrypts what goes to an endpoint that carries a key, all else goes plain and arrives. Tunnel mode: a node with
 * WireGuard sends every packet of the overlay into its device, where a peer without a key does not exist: it is lost, and so is the answer
 * of whoever it hears from (bpf/lib/wireguard.h of Cilium; measured on real agents: all new connections between such nodes fail).
 */
export function pairsOf(reading: Reading): Pairs {
  const tunnel = isTunnel(reading.facts.config);
  const partly = new Set(
    reading.nodes.filter(({ disagreements }) => disagreements.some(({ kind }) => kind === 'endpoints')).map(({ name }) => name),
  );
  const twins = new Set(
    reading.nodes.filter(({ disagreements }) => disagreements.some(({ kind }) => kind === 'same-key')).map(({ name }) => name),
  );
  const keys = new Map(reading.facts.nodes.map(({ name, key }) => [name, key]));
  const counts = noCounts();
  const rows = reading.nodes.map((from) =>
    reading.nodes.map((to) => {
      if (from === to) return undefined;
      const state = twins.has(from.name) || twins.has(to.name) ? 'unknown' : pairState(from, to, { tunnel, partly, keys });
      counts[state] += 1;
      return state;
    }),
  );
  return { nodes: reading.nodes.map(({ name }) => name), rows, counts };
}

interface Around {
  readonly tunnel: boolean;
  readonly partly: ReadonlySet<string>;
  readonly keys: ReadonlyMap<string, number>;
}

function pairState(from: NodeReading, to: NodeReading, { tunnel, partly, keys }: Around): PairState {
  if (from.running === undefined || to.running === undefined) return 'unknown';
  if (from.configured.mode === 'ztunnel' || to.configured.mode === 'ztunnel') return 'unknown';
  const one = (mode: string): boolean => from.running === mode || to.running === mode;
  const both = (mode: string): boolean => from.running === mode && to.running === mode;
  if (both('off')) return 'plain';
  if (from.settling || to.settling) return 'changing';
  // What a single pod is sent in the clear makes the pair plain.
  if (both('wireguard')) return partly.has(to.name) && !tunnel ? 'plain' : 'encrypted';
  if (both('ipsec')) return keys.get(from.name) === keys.get(to.name) ? 'encrypted' : 'changing';
  // IPsec beside anything else was never verified.
  if (one('ipsec')) return 'unknown';
  return tunnel ? 'broken' : 'plain';
}

/** One cell for all pairs from the nodes of one zone to those of another. */
export interface ZonePair {
  readonly from: string;
  readonly to: string;
  readonly of: number;
  readonly counts: Readonly<Record<PairState, number>>;
}

/** The same by zones, for clusters whose matrix nobody could read. Nodes without a zone are a zone of their own name, `no zone`. */
export function zonePairs(reading: Reading, pairs: Pairs): readonly ZonePair[] {
  const names = [...new Set(reading.nodes.map(({ zone = 'no zone' }) => zone))].toSorted();
  const zoneOf = reading.nodes.map(({ zone = 'no zone' }) => names.indexOf(zone));
  const cells = names.flatMap((from) => names.map((to) => ({ from, to, of: 0, counts: noCounts() })));
  for (const [row, states] of pairs.rows.entries()) {
    const base = (zoneOf[row] ?? 0) * names.length;
    for (const [column, state] of states.entries()) {
      const cell = cells[base + (zoneOf[column] ?? 0)];
      if (state === undefined || !cell) continue;
      cell.of += 1;
      cell.counts[state] += 1;
    }
  }
  return cells.filter(({ of }) => of > 0);
}

function noCounts(): Record<PairState, number> {
  return { encrypted: 0, plain: 0, broken: 0, changing: 0, unknown: 0 };
}
