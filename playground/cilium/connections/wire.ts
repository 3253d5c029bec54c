/**
 * The packet path: every attempt to connect is decided by the rules in force, reported as flows, recorded as truth, and only then made for real. A
 * dropped SYN is sent again as a client's kernel does, so a connection may still come up when the rules change.
 */
import type { Agents } from '../flows/agents.ts';
import type { PodBook } from '../pod-book.ts';
import { connectionFlows } from './connection-flows.ts';
import type { TrueConnection } from './connection-truth.ts';
import type { Connection, Decide, Decision, Request } from './decision.ts';
import { connects, whyOf } from './decision.ts';
import type { Reported, Stamp } from './packet.ts';
import type { Party } from './party.ts';
import { podParty } from './party.ts';
import { type Packet, packetFlows } from './traces.ts';

/** A connection that came up, with the decision that let it. */
export interface Opened {
  readonly connection: Connection;
  readonly decision: Decision;
}

export interface Wire {
  /** Tries to connect, for `patienceMs`; undefined when every SYN was dropped, or the simulator ends. */
  open(connection: Connection, name: string, patienceMs: number): Promise<Opened | undefined>;
  /** Packets of a connection that is up and whose ends let them through, as agents see them on their way. */
  packets(connection: Connection, packets: readonly Packet[]): void;
  /** One datagram: no second try here, resolvers have their own. */
  send(connection: Connection, name: string, request: Request): Decision;
  /** The same pods with the identities they have now. */
  fresh(connection: Connection): Connection;
  decide: Decide;
  /** Large packets of the connection do not arrive: it hangs, though it came up. */
  swallows(connection: Connection): boolean;
  report(flows: readonly Reported[]): void;
  record(connection: Connection, entry: Pick<TrueConnection, 'allowed' | 'what' | 'why' | 'name'>): void;
  stamp(): Stamp;
}

export interface WireOptions {
  readonly book: PodBook;
  readonly agents: Pick<Agents, 'report'>;
  readonly decide: Decide;
  readonly uuid: () => string;
  readonly swallows: (from: string, to: string) => boolean;
  readonly now: () => number;
  readonly connected: (connection: TrueConnection) => void;
  /** Resolves after so many milliseconds: true, or at once when the simulator ends: false. */
  readonly pause: (ms: number) => Promise<boolean>;
}

// Linux sends a SYN again every second, four times before it waits longer (tcp_syn_linear_timeouts, since 6.5).
const synAgainMs = 1_000;

/** The path between parties. */
export function createWire(options: WireOptions): Wire {
  const { book, agents, decide, pause } = options;
  const stamp = (): Stamp => ({ at: options.now(), uuid: options.uuid });
  const report = (flows: readonly Reported[]): void => {
    for (const { node, flow } of flows) agents.report(node, flow);
  };
  const freshParty = (party: Party): Party => {
    const pod = party.pod && book.get(party.pod.key);
    return pod ? podParty(pod) : party;
  };
  const fresh = (connection: Connection): Connection => ({
    ...connection,
    source: freshParty(connection.source),
    destination: freshParty(connection.destination),
  });
  const record: Wire['record'] = (connection, entry) =>
    options.connected({
      at: options.now(),
      source: connection.source.key,
      destination: connection.destination.key,
      port: connection.port,
      protocol: connection.protocol,
      ...entry,
    });

  const packets: Wire['packets'] = (connection, list) => {
    const now = fresh(connection);
    for (const packet of list) report(packetFlows(now, packet, stamp()));
  };

  const syn = (connection: Connection, isAgain = false): Opened => {
    const now = fresh(connection);
    const decision = decide(now);
    report(connectionFlows(now, decision, stamp(), isAgain));
    return { connection: now, decision };
  };

  return {
    decide,
    fresh,
    swallows: ({ source, destination }) =>
      source.node !== '' && destination.node !== '' && source.node !== destination.node && options.swallows(source.node, destination.node),
    report,
    record,
    stamp,
    packets,
    open: async (connection, name, patienceMs) => {
      let tried = syn(connection);
      record(tried.connection, { allowed: connects(tried.decision), what: 'new', why: whyOf(tried.decision), name });
      for (let waited = 0; !connects(tried.decision); waited += synAgainMs) {
        if (!(await pause(Math.min(synAgainMs, patienceMs - waited)))) return undefined;
        if (waited + synAgainMs >= patienceMs) return undefined;
        tried = syn(connection, true);
      }
      return tried;
    },
    send: (connection, name, request) => {
      const now = fresh(connection);
      const decision = decide(now, request);
      report(connectionFlows(now, decision, stamp()));
      record(now, { allowed: connects(decision), what: 'new', why: whyOf(decision), name });
      return decision;
    },
  };
}
