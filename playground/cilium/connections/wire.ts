/**
 * The packet path: every attempt to connect is decided by the rules in force, reported as flows, recorded as truth, and only then made for real. A
 * dropped SYN is sent again as a client's kernel does, so a connection may still come up when the rules change.
 */
import type { Agents } from '../flows/agents.ts';
import type { PodBook } from '../pod-book.ts';
import type { Reported, Stamp } from './connection-flows.ts';
import { connectionFlows } from './connection-flows.ts';
import type { TrueConnection } from './connection-truth.ts';
import type { Connection, Decide, Decision, Request } from './decision.ts';
import { connects, whyOf } from './decision.ts';
import type { Party } from './party.ts';
import { podParty } from './party.ts';

/** A connection that came up, with the decision that let it. */
export interface Opened {
  readonly connection: Connection;
  readonly decision: Decision;
}

export interface Wire {
  /** Tries to connect, for `patienceMs`; undefined when every SYN was dropped, or the simulator ends. */
  open(connection: Connection, name: string): Promise<Opened | undefined>;
  /** One datagram: no second try here, resolvers have their own. */
  send(connection: Connection, name: string, request: Request): Decision;
  /** The same pods with the identities they have now. */
  fresh(connection: Connection): Connection;
  decide: Decide;
  report(flows: readonly Reported[]): void;
  record(connection: Connection, entry: Pick<TrueConnection, 'allowed' | 'what' | 'why' | 'name'>): void;
  stamp(): Stamp;
}

export interface WireOptions {
  readonly book: PodBook;
  readonly agents: Pick<Agents, 'report'>;
  readonly decide: Decide;
  readonly uuid: () => string;
  readonly now: () => number;
  readonly connected: (connection: TrueConnection) => void;
  /** Resolves after so many milliseconds: true, or at once when the simulator ends: false. */
  readonly pause: (ms: number) => Promise<boolean>;
}

// Linux sends a SYN again after 1 s, then 2 s later (RFC 6298 section 2: 1 s, doubled); clients give up after 5 s.
const synAgainMs = [1_000, 2_000];
const lastWaitMs = 2_000;

/** The path between parties. */
export const createWire = (options: WireOptions): Wire => {
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

  const syn = (connection: Connection): Opened => {
    const now = fresh(connection);
    const decision = decide(now);
    report(connectionFlows(now, decision, stamp()));
    return { connection: now, decision };
  };

  return {
    decide,
    fresh,
    report,
    record,
    stamp,
    open: async (connection, name) => {
      let tried = syn(connection);
      record(tried.connection, { allowed: connects(tried.decision), what: 'new', why: whyOf(tried.decision), name });
      for (const ms of synAgainMs) {
        if (connects(tried.decision)) return tried;
        if (!(await pause(ms))) return undefined;
        tried = syn(connection);
      }
      if (connects(tried.decision)) return tried;
      await pause(lastWaitMs);
      return undefined;
    },
    send: (connection, name, request) => {
      const now = fresh(connection);
      const decision = decide(now, request);
      report(connectionFlows(now, decision, stamp()));
      record(now, { allowed: connects(decision), what: 'new', why: whyOf(decision), name });
      return decision;
    },
  };
};
