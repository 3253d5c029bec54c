import type { Cilium } from '../cilium/cilium.ts';
import type { FaultBook } from '../cilium/faults.ts';
import { serviceFaults } from '../cilium/panel.ts';
import type { LoadThread } from '../cilium/workloads/load-handle.ts';
import type { Component } from '../cluster/component.ts';
import type { RealNode } from './node.ts';
import type { RealTraffic } from './traffic.ts';

const BACK_WITHIN_MS = 60_000;

/** What can go wrong on real nodes. What only a simulator can do is refused with a sentence. */
export function realFaults(parts: {
  readonly book: FaultBook;
  readonly nodes: readonly RealNode[];
  readonly traffic: Pick<RealTraffic, 'failDns'>;
  readonly load: Pick<LoadThread, 'setRate'>;
  readonly relay: Component;
}): Cilium['faults'] {
  const { book, nodes, traffic, load, relay } = parts;
  const impossible = (what: string) => (): never => {
    throw new Error(`${what} cannot be made on real nodes.`);
  };
  const nodeOf = (name: string): RealNode => {
    const node = nodes.find((each) => each.node.name === name);
    if (!node) throw new Error(`There is no node ${name}.`);
    return node;
  };
  return {
    ...serviceFaults(book),
    mend: (service) => {
      book.mend(service);
      if (service === undefined) traffic.failDns(false);
    },
    lostEvents: impossible('Lost events'),
    nodeUnavailable: async (name, on) => {
      const { agent } = nodeOf(name);
      if (on) await agent.stop();
      else await agent.start(AbortSignal.timeout(BACK_WITHIN_MS));
    },
    nodeStatus: impossible('A node status'),
    dnsFailures: (on) => traffic.failDns(on),
    load: (requestsPerSecond) => load.setRate(requestsPerSecond),
    gatewayNode: nodes[0]?.node.name ?? '',
    relayUnavailable: async (on) => {
      if (on) await relay.crash();
      else await relay.start(AbortSignal.timeout(BACK_WITHIN_MS));
    },
    hideFlows: impossible('Hidden flows'),
    flowLag: impossible('Lag of flows'),
    l7Policy: impossible('Double reports'),
  };
}
