import { BLIND_AFTER_MS } from '../../domain/judge/sight.ts';
import { type Flow, type GetFlowsResponse, lostOf, millisecondsOf, timestampOf } from './flow.ts';
import { LATE_MS, Lateness } from './lateness.ts';
import type { FlowsRequest } from './observer.ts';
import { createRecent } from './recent.ts';
import { type NodeStreamDeps, RELAY } from './stream-listener.ts';

/** An agent that does not answer while its stream stands is busy or cut off; what it has seen comes when it is back (ms). */
const SILENT_FOR_MS = 5_000;
/** After a reconnect the stream starts this much before the last record, to see that nothing is missing in between. */
const OVERLAP_MS = 1_000;
/** The first stream begins so many records back: what comes between the question and the answer is not missed. */
const FIRST_RECORDS = 50;
/** What a new stream brings from the ring is there in so long (ms); what comes later is live, whatever time it carries. */
const REPLAY_TAKES_MS = 3_000;
/** An agent's ring holds 4,095 flows unless configured otherwise: more than that is never replayed. */
const REMEMBERED = 5_000;

const UNREACHED = 'Relay does not reach it';
const NODE_STATES: Readonly<Record<string, string>> = { NODE_GONE: 'Relay says that it is gone', NODE_ERROR: 'Relay has an error with it' };

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
  /** Event time up to which flows were seen; undefined: none yet. */
  #seenUpTo: number | undefined;
  #recordAt = 0;
  #openedAt = 0;
  #isFirst = true;
  readonly #beganAt: number;
  /** After a reconnect the first record must be one we know, else the ring has lost what lay between. */
  #proving = false;

  constructor(deps: NodeStreamDeps) {
    this.#deps = deps;
    this.#lateness = new Lateness(deps.listener, deps.ownDelay);
    this.#aliveAt = deps.now();
    this.#beganAt = this.#aliveAt;
  }

  /**
   * Where the next stream starts. The agent holds what it sends to `since` by the time that each record carries, also what is yet to come: so
   * it is never later than a record has come, whatever time that carried, and the first stream, which knows nothing of the node's clock, has none.
   */
  from(): Pick<FlowsRequest, 'since' | 'last'> {
    if (this.#seenUpTo === undefined) return { last: FIRST_RECORDS };
    return { since: Math.min(this.#seenUpTo, this.#recordAt) - OVERLAP_MS };
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

  /** Nodes that Relay does not reach now. It tells of a node that goes, never of one that is back (Cilium v1.20.2 pkg/hubble/relay/observer): so it is asked. */
  unreached(nodes: readonly string[]): void {
    const at = this.#deps.now();
    for (const node of nodes) if (!this.#unreached.has(node)) this.#deps.listener.gap(node, at, UNREACHED);
    for (const node of this.#unreached) if (!nodes.includes(node)) this.#deps.listener.sight(node, at);
    this.#unreached = new Set(nodes);
  }

  opened(): void {
    const now = this.#deps.now();
    this.#streaming = true;
    this.#openedAt = now;
    this.#isFirst = this.#seenUpTo === undefined;
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
    else if (response.lost_events) this.#told(node, response);
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
    this.#seenUpTo = Math.max(this.#seenUpTo ?? at, at);
    this.#recordAt = seenAt;
    const isReplayed = at < this.#openedAt && seenAt - this.#openedAt < REPLAY_TAKES_MS;
    if (this.#isFirst && isReplayed && at < this.#beganAt - OVERLAP_MS) return;
    // The record of a request waits until there is a connection to a pod, however long that takes: it says nothing of lag.
    // What a new stream replays from the ring is old without being late.
    if (flow.l7?.type !== 'REQUEST' && !isReplayed) this.#lateness.heard(node, at, seenAt);
    // Nothing has happened later than it was heard of: to a judge a time of the future would be the end of its watch.
    listener.flow(at - seenAt > LATE_MS ? { ...flow, time: timestampOf(seenAt) } : flow, node, seenAt);
  }

  /** The ring tells of a loss once more to each stream that begins before it: what was lost before this one is nothing to it. */
  #told(node: string, response: GetFlowsResponse): void {
    const { at = this.#deps.now(), count = 1, source = '' } = lostOf(response) ?? {};
    if (response.time && !this.#recent.add(`lost ${at} ${count}`)) return;
    if (this.#isFirst && at < this.#beganAt - OVERLAP_MS) return;
    this.#lost(node, count, source);
  }

  #lost(node: string, count: number, source: string): void {
    const at = this.#deps.now();
    this.#deps.listener.gap(node, at, source, Math.max(1, count));
    // What is lost stays lost, but from here on the node is seen again.
    if (!this.#lateness.has(node)) this.#deps.listener.sight(node, at);
  }

  #nodeStatus({ state_change, node_names = [] }: NonNullable<GetFlowsResponse['node_status']>): void {
    const at = this.#deps.now();
    for (const node of node_names) {
      if (state_change === 'NODE_CONNECTED') this.#deps.listener.sight(node, at);
      else if (state_change !== undefined) {
        this.#unreached = new Set([...this.#unreached, node]);
        this.#deps.listener.gap(node, at, NODE_STATES[state_change] ?? UNREACHED);
      }
    }
  }
}
