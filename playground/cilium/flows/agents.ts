/** One agent per node: its ring, its Observer, its metrics; flows reach them after the agent's own lag. */
import type { ServerCredentials } from '@grpc/grpc-js';
import { type AgentMetrics, createAgentMetrics, serveMetrics } from '../metrics.ts';
import { meshNodes } from '../nodes.ts';
import type { Flow } from './flow.ts';
import { type Observer, serveObserver } from './observer.ts';
import type { Peer } from './relay.ts';
import { createRing, type LostSource, type NodeState, type Ring } from './ring.ts';

export interface Agents {
  /** Where each node's Observer and metrics answer; the same after an outage. */
  readonly nodes: readonly { readonly name: string; readonly hubbleAddress: string; readonly metricsUrl: string }[];
  /** Reports a flow on a node, after the agent's lag. */
  report(node: string, flow: Flow): void;
  lose(node: string, count: number, source: LostSource): void;
  nodeStatus(node: string, state: NodeState, about: readonly string[], message: string): void;
  /** `false` ends the node's Observer and its streams; `true` starts it again on the same port. Flows meanwhile are lost. */
  setAvailable(node: string, available: boolean): Promise<void>;
  /** `true`: the agent answers, yet reports none of its flows, as without L7 visibility. */
  hide(node: string, hidden: boolean): void;
  /** Milliseconds that every flow takes longer from now on. */
  slow(ms: number): void;
  /** Every ring is empty, as after a restart of all agents. */
  forget(): void;
  /** The agents as Relay sees them. */
  readonly peers: readonly Peer[];
  endpoints(count: (node: string) => number): void;
  stop(): void;
}

export interface AgentsOptions {
  readonly now: () => number;
  /** Milliseconds from an event to the ring. */
  readonly lag: () => number;
  /** Of every node's Observer. */
  readonly credentials: ServerCredentials;
}

interface Agent {
  readonly name: string;
  readonly ring: Ring;
  readonly metrics: AgentMetrics;
  readonly metricsServer: { readonly port: number; close(): void };
  readonly port: number;
  readonly away: Set<() => void>;
  hidden: boolean;
  observer: Observer | undefined;
  /** On their way to the ring, in the order in which the agent reads them, whatever each one's lag. `at`: when it is there (Unix ms). */
  readonly arriving: { readonly flow: Flow; readonly at: number }[];
}

function peerOf(agent: Agent): Peer {
  return {
    name: agent.name,
    ring: agent.ring,
    isAvailable: () => agent.observer !== undefined,
    onAway: (listener) => {
      agent.away.add(listener);
      return () => agent.away.delete(listener);
    },
  };
}

async function startAgent(name: string, { now, credentials }: AgentsOptions): Promise<Agent> {
  const ring = createRing({ withholds: true });
  const metrics = createAgentMetrics();
  const metricsServer = await serveMetrics(metrics);
  const observer = await serveObserver({ node: name, ring, now, port: 0, credentials });
  return { name, ring, metrics, metricsServer, port: observer.port, away: new Set(), hidden: false, observer, arriving: [] };
}

/** Starts the agents of every node. */
export async function startAgents(options: AgentsOptions): Promise<Agents> {
  const agents = new Map<string, Agent>();
  const timers = new Set<NodeJS.Timeout>();
  let slower = 0;
  for (const node of meshNodes) agents.set(node.name, await startAgent(node.name, options));

  const of = (name: string): Agent => {
    const agent = agents.get(name);
    if (!agent) throw new Error(`There is no node ${name}. Use one of: ${[...agents.keys()].join(', ')}.`);
    return agent;
  };

  const enter = (agent: Agent, flow: Flow): void => {
    if (!agent.observer || agent.hidden) return;
    agent.ring.push({ kind: 'flow', flow });
    agent.metrics.flow(flow);
  };

  /** One timer for the first of them: timers of several lengths do not fire in the order in which they are due. */
  const arrive = (agent: Agent): void => {
    const now = options.now();
    const due = agent.arriving.findIndex(({ at }) => at > now);
    for (const { flow } of agent.arriving.splice(0, due < 0 ? agent.arriving.length : due)) enter(agent, flow);
    const [next] = agent.arriving;
    if (!next) return;
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        arrive(agent);
      },
      Math.ceil(next.at - now),
    );
    timers.add(timer);
  };

  return {
    nodes: [...agents.values()].map((agent) => ({
      name: agent.name,
      hubbleAddress: `127.0.0.1:${agent.port}`,
      metricsUrl: `http://127.0.0.1:${agent.metricsServer.port}/metrics`,
    })),
    report: (node, flow) => {
      const agent = of(node);
      const at = Math.max(options.now() + options.lag() + slower, agent.arriving.at(-1)?.at ?? 0);
      agent.arriving.push({ flow, at });
      if (agent.arriving.length === 1) arrive(agent);
    },
    lose: (node, count, source) => {
      const agent = of(node);
      agent.ring.push({ kind: 'lost', source, count, at: options.now() });
      agent.metrics.lost(source, count);
    },
    nodeStatus: (node, state, nodes, message) => of(node).ring.push({ kind: 'node-status', state, nodes, message }),
    setAvailable: async (node, available) => {
      const agent = of(node);
      if (!available) {
        agent.observer?.stop();
        agent.observer = undefined;
        for (const listener of agent.away) listener();
      } else agent.observer ??= await serveObserver({ ...options, node, ring: agent.ring, port: agent.port });
    },
    hide: (node, hidden) => {
      of(node).hidden = hidden;
    },
    slow: (ms) => {
      slower = ms;
    },
    forget: () => {
      for (const { ring } of agents.values()) ring.forget();
    },
    peers: [...agents.values()].map(peerOf),
    endpoints: (count) => {
      for (const agent of agents.values()) agent.metrics.endpoints(count(agent.name));
    },
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
      for (const agent of agents.values()) {
        agent.observer?.stop();
        agent.metricsServer.close();
      }
    },
  };
}
