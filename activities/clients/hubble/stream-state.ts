import { BLIND_AFTER_MS } from '../../../src/domain/judge/sight.ts';
import { type Flow, type GetFlowsResponse, millisecondsOf } from './flow.ts';
import { Lateness } from './lateness.ts';
import { createRecent } from './recent.ts';
import { type NodeStreamDeps, RELAY } from './stream-listener.ts';

/** An agent that does not answer while its stream stands is busy or cut off; what it has seen comes when it is back (ms). */
const SILENT_FOR_MS = 5_000;
/** After a reconnect the stream starts this much before the last record, to see that nothing is missing in between. */
const OVERLAP_MS = 1_000;
/** An agent's ring holds 4,095 flows unless configured otherwise: more than that is never replayed. */
const REMEMBERED = 5_000;

/** What is known of one stream over its reconnects. */
export class StreamState {
  readonly #deps: NodeStreamDeps;
  readonly #recent = createRecent(REMEMBERED);
  readonly #lateness: Lateness;
  #streaming = false;
  #silent = false;
  #heardAt = 0;
  #unreached: ReadonlySet<string> = new Set();
  #aliveAt: number;
  /** Event time up to which flows were seen, and where the next stream starts. */
  #seenUpTo: number;
  #openedAt = 0;
  /** After a reconnect the first record must be one we know, else the ring has lost what lay between. */
  #proving = false;

  constructor(deps: NodeStreamDeps) {
    this.#deps = deps;
    this.#lateness = new Lateness(deps.listener, deps.ownDelay);
    this.#aliveAt = deps.now();
    this.#seenUpTo = deps.now();
  }

  since(): number {
    return this.#seenUpTo - OVERLAP_MS;
  }

  alive(): void {
    this.#aliveAt = this.#deps.now();
    if (!this.#silent) return;
    this.#silent = false;
    if (!this.#lateness.has(this.#deps.node)) this.#deps.listener.sight(this.#deps.node, this.#aliveAt);
  }

  /** The stream stands and the agent does not answer: nothing is lost yet. */
  silent(reason: string): void {
    this.#silent = true;
    const { listener, node } = this.#deps;
    listener.gap(node, this.#aliveAt, reason, undefined, SILENT_FOR_MS + this.#away(this.#aliveAt));
  }

  /** How long this process was away itself since `at`: that time is not the agent's (ms). */
  #away(at: number): number {
    return this.#deps.ownDelay?.within(this.#deps.now() - at) ?? 0;
  }

  /** True when a record came after `at`. */
  heardSince(at: number): boolean {
    return this.#heardAt >= at;
  }

  /** Nodes that Relay does not reach now. It tells of a node that goes, never of one that is back (facts 8b): so it is asked. */
  unreached(nodes: readonly string[]): void {
    const at = this.#deps.now();
    for (const node of nodes) if (!this.#unreached.has(node)) this.#deps.listener.gap(node, at, 'Relay does not reach it');
    for (const node of this.#unreached) if (!nodes.includes(node)) this.#deps.listener.sight(node, at);
    this.#unreached = new Set(nodes);
  }

  opened(): void {
    const now = this.#deps.now();
    this.#streaming = true;
    this.#openedAt = now;
    this.#proving = this.#recent.size > 0;
    this.alive();
    this.#deps.listener.sight(this.#deps.node, now);
  }

  broken(reason: string): void {
    if (this.#deps.signal.aborted) return;
    if (this.#streaming) this.#deps.log.warn({ node: this.#deps.node, reason }, 'a stream of flows broke; reconnecting');
    this.#streaming = false;
    this.#silent = false;
    const away = this.#away(this.#aliveAt);
    this.#deps.listener.gap(this.#deps.node, this.#aliveAt, reason, undefined, away > 0 ? BLIND_AFTER_MS + away : undefined);
  }

  heard(response: GetFlowsResponse): void {
    this.#heardAt = this.#deps.now();
    // An agent may write its node's name with its cluster's before it; its own stream is known by one name.
    const node = this.#deps.node === RELAY ? response.node_name || RELAY : this.#deps.node;
    this.alive();
    if (response.flow) this.#flow(response.flow, node);
    else if (response.lost_events)
      this.#lost(node, response.lost_events.num_events_lost ?? 1, response.lost_events.source ?? 'unknown source');
    else if (response.node_status) this.#nodeStatus(response.node_status);
  }

  #flow(flow: Flow, node: string): void {
    const { now, listener } = this.#deps;
    const seenAt = now();
    const at = millisecondsOf(flow.time);
    const known = flow.uuid !== undefined && !this.#recent.add(flow.uuid);
    if (this.#proving) {
      this.#proving = false;
      if (!known) this.#lost(node, 1, 'the ring no longer holds what came while the stream was away');
    }
    if (known) return;
    this.#seenUpTo = Math.max(this.#seenUpTo, at);
    // The record of a request waits until there is a connection to a pod (facts 8b), however long that takes: it says nothing of lag.
    // What a new stream replays from the ring is old without being late.
    if (flow.l7?.type !== 'REQUEST' && at >= this.#openedAt) this.#lateness.heard(node, at, seenAt);
    listener.flow(flow, node, seenAt);
  }

  #lost(node: string, count: number, source: string): void {
    const at = this.#deps.now();
    this.#deps.listener.gap(node, at, source, Math.max(1, count));
    // What is lost stays lost, but from here on the node is seen again.
    if (!this.#lateness.has(node)) this.#deps.listener.sight(node, at);
  }

  #nodeStatus({ state_change, node_names = [], message = '' }: NonNullable<GetFlowsResponse['node_status']>): void {
    const at = this.#deps.now();
    for (const node of node_names) {
      if (state_change === 'NODE_CONNECTED') this.#deps.listener.sight(node, at);
      else if (state_change !== undefined) {
        this.#unreached = new Set([...this.#unreached, node]);
        this.#deps.listener.gap(node, at, `${state_change} ${message}`.trim());
      }
    }
  }
}
