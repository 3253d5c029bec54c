/** Faults of what can be seen, as opposed to what happens: Relay, lag, visibility, double reports. */
import type { Agents } from './flows/agents.ts';
import type { Relay } from './flows/relay.ts';

export interface SightFaults {
  /** Relay is gone, or back. */
  relayUnavailable(on: boolean): Promise<void>;
  /** The agent answers, yet none of its flows are reported. */
  hideFlows(node: string, on: boolean): void;
  /** Every flow reaches its ring this much later; 0 ends it. */
  flowLag(ms: number): void;
  /** Pods of these namespaces have an L7 policy of their own: their node reports each request a second time. */
  l7Policy(namespaces: readonly string[]): void;
}

/** Where the witness looks up what it must report twice. */
export interface Doubles {
  has(namespace: string): boolean;
}

export function createSightFaults(parts: {
  readonly agents: Agents;
  readonly relay: Relay;
  readonly doubles: Set<string>;
}): SightFaults & { mendSight(): void } {
  const { agents, relay, doubles } = parts;
  const l7Policy = (namespaces: readonly string[]): void => {
    doubles.clear();
    for (const namespace of namespaces) doubles.add(namespace);
  };
  return {
    relayUnavailable: (on) => relay.setAvailable(!on),
    hideFlows: (node, on) => agents.hide(node, on),
    flowLag: (ms) => agents.slow(ms),
    l7Policy,
    mendSight: () => {
      for (const { name } of agents.nodes) agents.hide(name, false);
      agents.slow(0);
      l7Policy([]);
    },
  };
}
