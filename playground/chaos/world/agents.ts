import { AsyncLocalStorage } from 'node:async_hooks';
import { type Flow, type GetFlowsResponse, millisecondsOf, timestampOf } from '../../../src/clients/hubble/flow.ts';
import type { HubbleNode } from '../../../src/clients/hubble/nodes.ts';
import type { FlowsRequest, Observer } from '../../../src/clients/hubble/observer.ts';
import type { Process, VirtualTime } from '../virtual-time.ts';
import type { Clocks } from './clocks.ts';
import type { Faults } from './faults.ts';

/** What one agent's ring holds. */
const RING = 400;

interface Following {
  readonly process: Process | undefined;
  readonly hear: (response: GetFlowsResponse) => void;
  readonly ended: (reason?: string) => void;
}

/** The Hubble agent of one node: a ring, streams, and a state of its own. */
class Agent {
  readonly ring: Flow[] = [];
  readonly lost: (GetFlowsResponse & { readonly time: NonNullable<GetFlowsResponse['time']> })[] = [];
  readonly following = new Set<Following>();
  away = false;
}

function listening(agent: Agent): readonly Following[] {
  return [...agent.following].filter(({ process }) => process?.alive !== false);
}

/** All agents of the cluster. */
export class Agents {
  readonly nodes: readonly HubbleNode[];
  readonly #agents: ReadonlyMap<string, Agent>;
  readonly #faults: Faults;
  readonly #time: VirtualTime;
  readonly #clocks: Clocks;

  constructor(names: readonly string[], faults: Faults, time: VirtualTime, clocks: Clocks) {
    this.#clocks = clocks;
    this.nodes = names.map((node) => ({ node, address: `${node}:4244` }));
    this.#agents = new Map(names.map((node) => [node, new Agent()]));
    this.#faults = faults;
    this.#time = time;
    faults.listen(() => {
      const mode = faults.mode('hubble');
      if (mode === 'down' || mode === 'error') for (const agent of this.#agents.values()) this.#cut(agent, 'UNAVAILABLE');
    });
  }

  #agent(node: string): Agent {
    const agent = this.#agents.get(node);
    if (!agent) throw new Error(`no agent on ${node}`);
    return agent;
  }

  /** A record of one node, of what happened at `at`. While Hubble is slow it comes late, while it hangs not at all. */
  emit(node: string, record: Omit<Flow, 'time' | 'node_name'>, at: number): void {
    const agent = this.#agent(node);
    const flow = { ...record, time: timestampOf(at + this.#clocks.nodesAhead), node_name: node } satisfies Flow;
    agent.ring.push(flow);
    if (agent.ring.length > RING) agent.ring.shift();
    const mode = this.#faults.mode('hubble');
    if (agent.away || mode === 'hang') return;
    const tell = (): void => {
      for (const { hear } of listening(agent)) hear({ flow, node_name: node });
    };
    if (mode === 'slow') this.#time.in(undefined, () => this.#time.after(3_500, tell));
    else tell();
  }

  /** So many events of one node were lost. The ring says so in its place to whoever reads it later (Cilium v1.20.2, eventsReader.Next). */
  lose(node: string, count: number): void {
    const agent = this.#agent(node);
    const time = timestampOf(this.#time.now + this.#clocks.nodesAhead);
    const lost = { lost_events: { source: 'PERF_EVENT_RING_BUFFER', num_events_lost: count }, node_name: node, time };
    agent.lost.push(lost);
    for (const { hear } of listening(agent)) hear(lost);
  }

  /** The agent of one node goes away, or comes back. */
  setAway(node: string, away: boolean): void {
    const agent = this.#agent(node);
    agent.away = away;
    if (away) this.#cut(agent, 'connection reset');
    this.#time.wake();
  }

  isAway(node: string): boolean {
    return this.#agent(node).away;
  }

  #cut(agent: Agent, reason: string): void {
    const streams = [...agent.following];
    agent.following.clear();
    for (const { ended, process } of streams) if (process?.alive !== false) ended(reason);
  }

  connect({ node }: HubbleNode): Observer {
    const agent = this.#agent(node);
    const unavailable = (): Error => new Error('14 UNAVAILABLE: no connection');
    return {
      status: async (deadlineMs) => {
        if (agent.away) throw unavailable();
        return this.#faults.call('hubble', () => ({ num_flows: agent.ring.length }), unavailable, { ms: 1, deadlineMs });
      },
      flows: (request, hear, ended) => this.#stream(agent, node, request, this.#bound(hear, ended)),
      close: () => undefined,
    };
  }

  /** What is heard belongs to the process that listens, whoever speaks. */
  #bound(hear: Following['hear'], ended: Following['ended']): Following {
    const inside = AsyncLocalStorage.snapshot();
    return {
      process: this.#time.process(),
      hear: (response) => inside(() => hear(response)),
      ended: (reason) => inside(() => ended(reason)),
    };
  }

  #stream(agent: Agent, node: string, request: FlowsRequest, following: Following): { cancel(): void } {
    const mode = this.#faults.mode('hubble');
    if (agent.away || mode === 'down' || mode === 'error') {
      this.#time.after(1, () => following.ended('14 UNAVAILABLE'));
      return { cancel: () => undefined };
    }
    const { since = 0, until = Number.POSITIVE_INFINITY, last = RING } = request;
    const isAsked = (flow: Flow): boolean => millisecondsOf(flow.time) >= since && millisecondsOf(flow.time) <= until;
    const held = agent.ring.filter(isAsked).slice(-last);
    // An agent holds what is yet to come to it as well (v1.20.2 eventsReader.Next).
    const asked: Following = { ...following, hear: (response) => (!response.flow || isAsked(response.flow)) && following.hear(response) };
    let open = true;
    this.#time.after(1, () => {
      if (!open || this.#faults.mode('hubble') === 'hang') return;
      for (const flow of held) following.hear({ flow, node_name: node });
      const from = request.since ?? millisecondsOf(held[0]?.time);
      for (const lost of agent.lost) if (millisecondsOf(lost.time) >= from && millisecondsOf(lost.time) <= until) following.hear(lost);
      if (!request.follow) following.ended();
    });
    if (request.follow) agent.following.add(asked);
    return {
      cancel: () => {
        open = false;
        agent.following.delete(asked);
      },
    };
  }
}
