/** One call from one party to a name: lookup, connection, request. Only what every rule on the way lets through is made for real. */
import type { Agent } from 'node:http';
import { request } from 'node:http';
import type { Random } from '../random.ts';
import type { SeenRequest } from '../workloads/gateway-door.ts';
import type { Connection } from './decision.ts';
import { isAllowed, whyOf } from './decision.ts';
import type { Directory, Found, Name } from './directory.ts';
import type { HttpAnswer } from './l7-flows.ts';
import { httpFlows } from './l7-flows.ts';
import type { Party } from './party.ts';
import type { Resolver } from './resolver.ts';
import { exchange, farewell, handshake, rejection } from './traces.ts';
import type { Opened, Wire } from './wire.ts';

/**
 * `answered` = any HTTP answer of the other side, `refused` = 403 from a proxy, `dropped` = no packet came through, `unresolved` = no DNS answer,
 * `failed` = refused by a closed port, reset, or no answer in time.
 */
export type CallOutcome = 'answered' | 'refused' | 'dropped' | 'unresolved' | 'failed';

export interface Trip {
  /** Names the caller in the record. */
  readonly name: string;
  readonly source: Party;
  readonly to: Name;
  /** Default: the port of the other side's server. */
  readonly port?: number;
  /** Default GET /. */
  readonly http?: Partial<Pick<SeenRequest, 'method' | 'path' | 'headers'>>;
}

export interface Caller {
  call(trip: Trip): Promise<CallOutcome>;
  /** Only the first half: a connection that came up, or why not. */
  connect(trip: Trip): Promise<(Opened & { readonly found: Found }) | CallOutcome>;
  /** A request on a connection that is up; `agent` keeps its socket. */
  ask(connection: Connection, localPort: number, trip: Trip, agent?: Agent): Promise<CallOutcome>;
}

export interface CallerOptions {
  readonly directory: Directory;
  readonly resolver: Resolver;
  readonly wire: Wire;
  readonly random: Random;
}

const patienceMs = 2_000;

/** Answers of these paths need packets as large as the way allows. */
const LARGE: readonly string[] = ['/rows', '/items'];
export const HANGS = 'Hangs: packets larger than the way between the nodes are lost on it.';

function real(port: number, seen: SeenRequest, agent: Agent | undefined): Promise<HttpAnswer | undefined> {
  return new Promise((resolve) => {
    const from = performance.now();
    let answer: HttpAnswer | undefined;
    const { method, path, headers } = seen;
    const outgoing = request(
      { host: '127.0.0.1', port, method, path, headers: { ...headers, host: seen.host }, agent: agent ?? false, timeout: patienceMs },
      (response) => {
        answer = { status: response.statusCode ?? 0, latencyMs: performance.now() - from };
        response.resume();
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    // Refused and reset connections are the demo's faults at work; the outcome says so.
    outgoing.on('error', () => undefined);
    outgoing.on('close', () => resolve(answer));
    outgoing.end();
  });
}

/** A caller over the packet path. */
export function createCaller({ directory, resolver, wire, random }: CallerOptions): Caller {
  const connect: Caller['connect'] = async (trip) => {
    const { source, to, name } = trip;
    if (source.pod && !(await resolver.lookup(source.pod, to, name))) return 'unresolved';
    const found = directory.find(to);
    if (!found) return 'failed';
    const port = trip.port ?? found.port;
    const sourcePort = 32_768 + Math.floor(random() * 28_000);
    const opened = await wire.open({ source, destination: found.party, sourcePort, port, protocol: 'TCP' }, name, patienceMs);
    if (!opened) return 'dropped';
    const listens = port === found.port || found.party.pod?.ports.some((each) => each.port === port);
    wire.packets(opened.connection, listens === true ? handshake : rejection);
    return listens === true ? { ...opened, found } : 'failed';
  };

  const ask: Caller['ask'] = async (connection, localPort, { to, http = {}, name }, agent) => {
    const { method = 'GET', path = '/', headers = {} } = http;
    const seen: SeenRequest = { method, path, host: directory.hostOf(to), headers: { 'user-agent': name.replaceAll(' ', ''), ...headers } };
    const now = wire.fresh(connection);
    const decision = wire.decide(now, { http: seen });
    if (!isAllowed(decision)) {
      wire.report(httpFlows(now, decision, seen, undefined, wire.stamp()));
      wire.record(now, { allowed: false, what: 'request', why: whyOf(decision), name });
      return 'refused';
    }
    const answer = await real(localPort, seen, agent);
    wire.report(httpFlows(now, decision, seen, answer, wire.stamp()));
    return answer ? 'answered' : 'failed';
  };

  return {
    connect,
    ask,
    call: async (trip) => {
      const up = await connect(trip);
      if (typeof up === 'string') return up;
      if (LARGE.includes(trip.http?.path ?? '') && wire.swallows(up.connection)) {
        wire.record(up.connection, { allowed: false, what: 'established', why: HANGS, name: trip.name });
        return 'dropped';
      }
      const outcome = await ask(up.connection, up.found.localPort, trip);
      wire.packets(up.connection, [...exchange, ...farewell]);
      return outcome;
    },
  };
}
