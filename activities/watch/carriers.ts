import { RELAY } from '../../src/clients/hubble/flows.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import { BLIND_AFTER_MS } from '../../src/domain/judge/sight.ts';
import type { Hear } from './watching.ts';

type Gap = Extract<Evidence, { kind: 'gap' }>;

/** A node that has reported traffic of the watch is asked about for so long after its last report (ms). */
const REPORTER_FOR_MS = 600_000;
/** So many nodes are named in a remark. */
const MOST_NAMED = 3;

interface Options {
  readonly hear: Hear;
  readonly now: () => number;
  /** Nodes that carried this traffic just before, so far as it is known. */
  readonly known?: readonly string[] | undefined;
}

/**
 * Which nodes' sight matters to one watch: those where its pods run, by their endpoints, and those that report its requests, as the Envoy
 * of a Gateway does on the nodes that traffic comes to. What is lost anywhere else says nothing of this traffic and is a remark. The set
 * follows the pods: a node out of sight to which one moves counts from then on.
 */
export class Carriers {
  readonly #options: Options;
  readonly #endpoints = new Map<string, ReadonlySet<string> | 'anywhere'>();
  /** When each node last reported (epoch ms). */
  readonly #reporters: Map<string, number>;
  readonly #gaps = new Map<string, { readonly gap: Gap; readonly told: boolean }>();
  /** Events lost on nodes that carry nothing of this watch. */
  readonly #lost = new Map<string, number>();

  constructor(options: Options) {
    this.#options = options;
    this.#reporters = new Map((options.known ?? []).map((node) => [nameOf(node), options.now()]));
  }

  /** Where the pods of a Service are now. A pod whose node is not known may be anywhere. */
  endpoints(service: string, nodes: readonly (string | undefined)[]): void {
    this.#endpoints.set(service, nodes.includes(undefined) ? 'anywhere' : new Set(nodes.map((node = '') => nameOf(node))));
    this.#follow();
  }

  /** A record of this watch's traffic came from the node. */
  reported(node: string): void {
    const name = nameOf(node);
    const isNew = !this.#reporters.has(name);
    this.#reporters.set(name, this.#options.now());
    if (isNew) this.#follow();
  }

  /** Tells the gaps that have begun to count, and ends those that no longer do. */
  #follow(): void {
    for (const [node, { gap, told }] of this.#gaps) {
      const counts = this.carries(node, gap.at);
      if (counts === told) continue;
      // Until now nothing of this watch was there to be missed.
      const at = Math.max(gap.at, this.#options.now());
      this.#gaps.set(node, { gap, told: counts });
      this.#options.hear(counts ? { ...gap, at } : { kind: 'sight', at, node });
    }
  }

  gap(gap: Gap): void {
    const counts = this.carries(gap.node, gap.at);
    this.#gaps.set(gap.node, { gap: withoutLoss(gap), told: counts });
    if (counts) return this.#options.hear(gap);
    if (gap.lost !== undefined) this.#lost.set(gap.node, (this.#lost.get(gap.node) ?? 0) + gap.lost);
  }

  sight(node: string, at: number): void {
    const before = this.#gaps.get(node);
    this.#gaps.delete(node);
    if (before?.told !== false) this.#options.hear({ kind: 'sight', at, node });
  }

  /** What is not seen at `now` and does not count, in words; undefined when there is nothing. */
  unseen(now: number): string | undefined {
    const away = [...this.#gaps]
      .filter(([, { gap, told }]) => !told && now - gap.at > BLIND_AFTER_MS)
      .map(([node, { gap }]) => `${node} (${gap.reason})`);
    const lossy = [...this.#lost].filter(([node]) => !this.#gaps.has(node)).map(([node, events]) => `${events} events of ${node}`);
    const all = [...away, ...lossy];
    const more = all.length > MOST_NAMED ? ` and ${all.length - MOST_NAMED} more` : '';
    return all.length === 0 ? undefined : `${all.slice(0, MOST_NAMED).join(', ')}${more}: none of this traffic was seen there`;
  }

  /** Would something that is lost there at this time be lost to the watch? */
  carries(node: string, at: number): boolean {
    // Relay's stream speaks for all nodes.
    if (node === RELAY) return true;
    const name = nameOf(node);
    const reportedAt = this.#reporters.get(name);
    if (reportedAt !== undefined && at - reportedAt < REPORTER_FOR_MS) return true;
    return [...this.#endpoints.values()].some((nodes) => nodes === 'anywhere' || nodes.has(name));
  }
}

function withoutLoss({ kind, at, node, reason, patienceMs }: Gap): Gap {
  return { kind, at, node, reason, ...(patienceMs !== undefined && { patienceMs }) };
}

/** Agents may write a node with its cluster before it; EndpointSlices do not. */
function nameOf(node: string): string {
  return node.slice(node.lastIndexOf('/') + 1);
}
