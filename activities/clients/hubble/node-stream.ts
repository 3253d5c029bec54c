import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import type { Flow, GetFlowsResponse } from './flow.ts';
import { millisecondsOf } from './flow.ts';
import type { Observer } from './observer.ts';
import { createRecent } from './recent.ts';

/** What one stream tells. `node` is the reporting node's name (Relay's stream speaks for many). */
export interface StreamListener {
  flow(flow: Flow, node: string, seenAt: number): void;
  gap(node: string, at: number, reason: string, lost?: number): void;
  sight(node: string, at: number): void;
}

export interface NodeStreamDeps {
  readonly node: string;
  readonly observer: Observer;
  readonly listener: StreamListener;
  readonly now: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A record that arrives later than this says too little about now (ms). */
export const LATE_MS = 2_000;
/** The agent is asked this often whether it is there: a silent stream and a dead one look alike. */
const PROBE_EVERY_MS = 1_000;
const PROBE_WITHIN_MS = 1_000;
/** After a reconnect the stream starts this much before the last record, to see that nothing is missing in between. */
const OVERLAP_MS = 1_000;
const RETRY_MS = [50, 200, 500] as const;
/** An agent's ring holds 4,095 flows unless configured otherwise: more than that is never replayed. */
const REMEMBERED = 5_000;

/** Follows one node for as long as the signal lasts; reconnects and resumes. Never throws. */
export async function followNode(deps: NodeStreamDeps): Promise<void> {
  const state = new StreamState(deps);
  for (let failures = 0; !deps.signal.aborted; ) {
    try {
      await deps.observer.status(PROBE_WITHIN_MS);
      if (deps.signal.aborted) return;
      state.opened();
      failures = 0;
      state.broken(await streamOnce(deps, state));
    } catch (error) {
      state.broken(error instanceof Error ? error.message : String(error));
    }
    const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 500;
    await sleep(wait, undefined, { signal: deps.signal }).catch(() => undefined);
  }
}

/** One stream until it ends, by itself or because a probe was not answered. Resolves with the reason. */
async function streamOnce({ observer, signal, now }: NodeStreamDeps, state: StreamState): Promise<string> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const { promise, resolve } = Promise.withResolvers<string>();
  const stream = observer.flows(
    { follow: true, since: state.since() },
    (response) => state.heard(response),
    (reason) => resolve(reason ?? 'the agent ended the stream'),
  );
  const aborted = (): void => resolve('stopped');
  signal.addEventListener('abort', aborted, { once: true });
  const probing = (async () => {
    while (!stop.aborted) {
      await sleep(PROBE_EVERY_MS, undefined, { signal: stop });
      const askedAt = now();
      try {
        const { unavailable_nodes } = await observer.status(PROBE_WITHIN_MS);
        state.alive();
        state.unreached(unavailable_nodes ?? []);
      } catch (error) {
        // A busy agent may answer late; one whose records keep coming is not gone.
        if (!state.heardSince(askedAt)) throw error;
      }
    }
  })().catch((error: unknown) => resolve(error instanceof Error ? error.message : String(error)));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', aborted);
    over.abort();
    stream.cancel();
    await probing;
  }
}

/** What is known of one stream over its reconnects. */
class StreamState {
  readonly #deps: NodeStreamDeps;
  readonly #recent = createRecent(REMEMBERED);
  readonly #late = new Set<string>();
  #streaming = false;
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
    this.#aliveAt = deps.now();
    this.#seenUpTo = deps.now();
  }

  since(): number {
    return this.#seenUpTo - OVERLAP_MS;
  }

  alive(): void {
    this.#aliveAt = this.#deps.now();
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
    this.#deps.listener.gap(this.#deps.node, this.#aliveAt, reason);
  }

  heard(response: GetFlowsResponse): void {
    this.#heardAt = this.#deps.now();
    const node = response.node_name || this.#deps.node;
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
    if (flow.l7?.type !== 'REQUEST') this.#lag(node, at, seenAt);
    listener.flow(flow, node, seenAt);
  }

  #lost(node: string, count: number, source: string): void {
    const at = this.#deps.now();
    this.#deps.listener.gap(node, at, source, Math.max(1, count));
    // What is lost stays lost, but from here on the node is seen again.
    if (!this.#late.has(node)) this.#deps.listener.sight(node, at);
  }

  #lag(node: string, at: number, seenAt: number): void {
    // What a new stream replays from the ring is old without being late.
    if (at < this.#openedAt) return;
    const lag = seenAt - at;
    if (lag > LATE_MS && !this.#late.has(node)) {
      this.#late.add(node);
      this.#deps.listener.gap(node, at, `late: records arrive ${(lag / 1_000).toFixed(1)} s after the event`);
    } else if (lag <= LATE_MS && this.#late.delete(node)) {
      this.#deps.listener.sight(node, seenAt);
    }
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
