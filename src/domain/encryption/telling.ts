// What is not known of packets between a changed node and others: pure, out of what pods have sent each other.
import type { Traffic } from './proof.ts';
import { listed } from './refusals.ts';

/** `small`: hardly a connection was answered. `large`: they are answered, and nothing says that more than the first packets arrives. */
type Missing = 'small' | 'large';
type Way = 'between' | 'from' | 'to';

export interface TellingInput {
  /** Changed nodes with pods: those without have nothing that could be sent. */
  readonly changed: readonly string[];
  /** All nodes with pods. */
  readonly inhabited: ReadonlySet<string>;
  readonly change: 'on' | 'off';
  /** From which node to which, and what was sent. */
  readonly pairs: readonly (readonly [from: string, to: string, traffic: Traffic])[];
}

/** Fewer connections of a node in one direction tell nothing. */
const ENOUGH = 3;
const MOST_NAMED = 3;

/**
 * Why the changed nodes are not known to pass small and large packets, in plain words; none: all of them do.
 *
 * It is asked of each node, not of each pair. In a large cluster nearly every pair has next to nothing to say, so a stage that waited for them
 * all would never pass; and what swallows large packets sits at a node: the MTU of its devices, its card, the switch behind it. So all pairs of
 * a node count together, and one that tells enough by itself is enough.
 *
 * It is asked of both ways: what is large in a connection is mostly its answer, so connections that a node begins tell of what reaches it, and
 * those that it serves of what leaves it.
 *
 * Where encryption is turned on, what a node sends to one that is not changed yet goes in the clear and says nothing of packets that are
 * wrapped: it counts for the first node alone, which has no other.
 */
export function untold({ changed, inhabited, change, pairs }: TellingInput): readonly string[] {
  // There is nobody to talk with.
  if (inhabited.size < 2) return [];
  const among = new Set(changed);
  const isAmongChanged = change === 'on' && changed.length > 1;
  const others = isAmongChanged ? 'other changed nodes' : 'other nodes';
  const sent = new Map<string, Told>();
  const received = new Map<string, Told>();
  for (const [from, to, traffic] of pairs) {
    if (isAmongChanged && !(among.has(from) && among.has(to))) continue;
    add(sent, from, traffic);
    add(received, to, traffic);
  }
  const groups = new Map<string, { readonly missing: Missing; readonly way: Way; readonly nodes: string[] }>();
  for (const node of changed) {
    for (const [missing, way] of waysOf(missingOf(received.get(node)), missingOf(sent.get(node)))) {
      const key = `${missing} ${way}`;
      const group = groups.get(key) ?? { missing, way, nodes: [] };
      group.nodes.push(node);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map(({ missing, way, nodes }) => sentence(missing, placed(way, nodes, others)));
}

interface Told {
  answered: number;
  whole: number;
}

function add(all: Map<string, Told>, node: string, { answered, whole }: Traffic): void {
  const known = all.get(node) ?? { answered: 0, whole: 0 };
  all.set(node, known);
  known.answered += answered;
  known.whole += whole;
}

function missingOf({ answered, whole }: Told = { answered: 0, whole: 0 }): Missing | undefined {
  if (answered < ENOUGH) return 'small';
  return whole < ENOUGH ? 'large' : undefined;
}

function waysOf(to: Missing | undefined, from: Missing | undefined): readonly (readonly [Missing, Way])[] {
  if (to !== undefined && to === from) return [[to, 'between']];
  return [...(to === undefined ? [] : [[to, 'to'] as const]), ...(from === undefined ? [] : [[from, 'from'] as const])];
}

function placed(way: Way, nodes: readonly string[], others: string): string {
  if (way === 'to') return `to ${listed(nodes, MOST_NAMED)} from ${others}`;
  if (way === 'from') return `from ${listed(nodes, MOST_NAMED)} to ${others}`;
  const more = nodes.length > MOST_NAMED ? [`${nodes.length - MOST_NAMED} more`] : [];
  return `between ${[...nodes.slice(0, MOST_NAMED), ...more].join(', ')} and ${others}`;
}

function sentence(missing: Missing, where: string): string {
  return missing === 'small'
    ? `nothing shows that packets pass ${where}: too few connections there were answered`
    : `nothing shows that large packets pass ${where}: connections there have not come to their end in their usual time`;
}
