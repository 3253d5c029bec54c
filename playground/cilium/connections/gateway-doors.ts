/** The way from the gateway's proxy into the pods, under the rules in force: which doors are open, and what is seen at them. */
import { gatewayNode } from '../nodes.ts';
import type { PodBook } from '../pod-book.ts';
import type { DoorState } from '../workloads/gateway-door.ts';
import type { DoorEvent } from '../workloads/messages.ts';
import type { Pods } from '../workloads/pods.ts';
import type { Conntrack, Live } from './conntrack.ts';
import { type Connection, connects, type Decision, isAllowed, whyOf } from './decision.ts';
import { httpFlows } from './l7-flows.ts';
import { ingressParty, podParty } from './party.ts';
import { handshake } from './traces.ts';
import type { Wire } from './wire.ts';

export interface GatewayDoors {
  /** Brings every door into the state that the rules in force ask for. */
  update(): void;
  /** True while the pod hears nothing from the proxy. */
  isShut(pod: string): boolean;
}

export interface GatewayDoorsOptions {
  readonly book: PodBook;
  readonly pods: Pick<Pods, 'setDoor' | 'permit' | 'onDoor'>;
  readonly wire: Wire;
  readonly conntrack: Conntrack;
  readonly onError: (error: unknown) => void;
}

const name = 'gateway';
// Cilium's own for the clusters of a Gateway (v1.20.2 operator/pkg/model/translation).
const connectTimeoutMs = 5_000;

function stateFor(decision: Decision): DoorState {
  if (!connects(decision)) return 'shut';
  return decision.ingress?.proxy?.kind === 'http' ? 'ask' : 'open';
}

/** All doors open; `update` sets them right. */
export function createGatewayDoors(options: GatewayDoorsOptions): GatewayDoors {
  const { book, pods, wire, conntrack, onError } = options;
  const states = new Map<string, DoorState>();
  const live = new Map<string, Live | undefined>();
  const passing = new Map<string, Decision>();

  const connectionTo = (pod: string, sourcePort: number): Connection | undefined => {
    const facts = book.get(pod);
    return (
      facts && { source: ingressParty(gatewayNode), destination: podParty(facts), sourcePort, port: facts.containerPort, protocol: 'TCP' }
    );
  };

  const opened = async (pod: string, port: number): Promise<void> => {
    const key = `${pod} ${port}`;
    const connection = connectionTo(pod, port);
    if (!connection) return;
    live.set(key, undefined);
    const up = await wire.open(connection, name, connectTimeoutMs);
    if (up) wire.packets(up.connection, handshake);
    // The proxy may have given up meanwhile.
    if (up && live.has(key)) live.set(key, conntrack.track(up.connection, name));
  };

  const asked = ({ pod, port, ask, request }: Extract<DoorEvent, { door: 'ask' }>): void => {
    const connection = connectionTo(pod, port);
    const decision = connection && wire.decide(connection, { http: request });
    const permits = decision === undefined || isAllowed(decision);
    pods.permit(ask, permits).catch(onError);
    if (!connection || !decision) return;
    if (permits) {
      passing.set(`${pod} ${port}`, decision);
      return;
    }
    wire.report(httpFlows(connection, decision, request, undefined, wire.stamp()));
    wire.record(connection, { allowed: false, what: 'request', why: whyOf(decision), name });
  };

  const answered = ({ pod, port, request, status, latencyMs }: Extract<DoorEvent, { door: 'answered' }>): void => {
    const key = `${pod} ${port}`;
    const decision = passing.get(key);
    const connection = connectionTo(pod, port);
    passing.delete(key);
    if (decision && connection) wire.report(httpFlows(connection, decision, request, { status, latencyMs }, wire.stamp()));
  };

  pods.onDoor((event) => {
    const key = `${event.pod} ${event.port}`;
    switch (event.door) {
      case 'opened':
        opened(event.pod, event.port).catch(onError);
        return;
      case 'closed':
        live.get(key)?.close();
        live.delete(key);
        passing.delete(key);
        return;
      case 'unheard':
        live.get(key)?.packet();
        return;
      case 'ask':
        asked(event);
        return;
      case 'answered':
        answered(event);
        return;
      default:
        event satisfies never;
    }
  });

  return {
    isShut: (pod) => states.get(pod) === 'shut',
    update: () => {
      for (const { key } of book.all()) {
        const connection = connectionTo(key, 0);
        if (!connection) continue;
        const state = stateFor(wire.decide(connection));
        if ((states.get(key) ?? 'open') === state) continue;
        states.set(key, state);
        pods.setDoor(key, state).catch(onError);
      }
      for (const key of states.keys()) if (!book.get(key)) states.delete(key);
    },
  };
}
