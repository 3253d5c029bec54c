/** The kubelets' probes: each node connects to each of its pods now and then, so that policies and flows know the host. */
import type { PodBook } from '../pod-book.ts';
import { connectionFlows } from './connection-flows.ts';
import { type Connection, connects } from './decision.ts';
import { hostParty, podParty } from './party.ts';
import { exchange, farewell, handshake } from './traces.ts';
import type { Wire } from './wire.ts';

// Kubernetes' default `periodSeconds` of a probe.
const everyMs = 10_000;
const systemNamespace = 'kube-system';

/** Starts probing; returns how to stop. What a probe finds does not change readiness here: only crashes do. */
export function startProbes(book: PodBook, wire: Wire): () => void {
  let sourcePort = 40_000;
  const probe = (): void => {
    for (const pod of book.all()) {
      if (pod.namespace === systemNamespace) continue;
      sourcePort = sourcePort >= 60_000 ? 40_000 : sourcePort + 1;
      const connection: Connection = {
        source: hostParty(pod.node),
        destination: podParty(pod),
        sourcePort,
        port: pod.containerPort,
        protocol: 'TCP',
      };
      const decision = wire.decide(connection);
      wire.report(connectionFlows(connection, decision, wire.stamp()));
      if (connects(decision)) wire.packets(connection, [...handshake, ...exchange, ...farewell]);
    }
  };
  probe();
  const timer = setInterval(probe, everyMs);
  return () => clearInterval(timer);
}
