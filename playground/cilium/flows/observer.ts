/** An agent's Observer API over gRPC: what `hubble observe` and meshops connect to. */
import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import { FilterError, type FlowFilter, type FlowTest, flowFilter } from './filter.ts';
import { type Flow, milliseconds, type Timestamp, timestamp } from './flow.ts';
import { createMask } from './mask.ts';
import { type Ring, type RingEvent, ringCapacity } from './ring.ts';
import { loadService } from './service.ts';

/** The version this simulator speaks for. */
export const ciliumVersion = '1.20.2';

/** observer.GetFlowsRequest as decoded. */
export interface GetFlowsRequest {
  readonly number: number;
  readonly first: boolean;
  readonly follow: boolean;
  readonly whitelist: readonly FlowFilter[];
  readonly blacklist: readonly FlowFilter[];
  readonly since: Timestamp | null;
  readonly until: Timestamp | null;
  readonly field_mask: { readonly paths: readonly string[] } | null;
}

export interface ObserverOptions {
  readonly node: string;
  readonly ring: Ring;
  readonly now: () => number;
  /** 0 = any free port; the same port again after an outage. */
  readonly port: number;
  /** Left out: plain text. */
  readonly credentials?: ServerCredentials | undefined;
}

export interface Observer {
  readonly port: number;
  /** Ends every stream at once, as an agent that is killed. */
  stop(): void;
}

/** What the ring already holds of a request, in the order of time (v1.20.2 pkg/hubble/observer/local_observer.go). */
export function selectHeld(flows: readonly Flow[], request: GetFlowsRequest, matches: FlowTest): readonly Flow[] {
  const since = request.since ? milliseconds(request.since) : undefined;
  const until = request.until ? milliseconds(request.until) : undefined;
  if (request.follow && request.number === 0 && since === undefined) return [];
  const fitting = flows.filter((flow) => {
    const at = milliseconds(flow.time);
    return (since === undefined || at >= since) && (until === undefined || at <= until) && matches(flow);
  });
  if (request.number === 0) return fitting;
  return request.first || since !== undefined ? fitting.slice(0, request.number) : fitting.slice(-request.number);
}

/**
 * The same with what the ring says was lost, in its place. No filter leaves out a loss; the times of the request do, and so does where the reading begins
 * (v1.20.2 eventsReader.Next).
 */
export function heldEvents(ring: Ring, request: GetFlowsRequest, matches: FlowTest): readonly RingEvent[] {
  const flows = selectHeld(ring.flows(), request, matches);
  const [oldest] = flows;
  const from = request.since ? milliseconds(request.since) : oldest ? milliseconds(oldest.time) : Number.POSITIVE_INFINITY;
  const to = request.until ? milliseconds(request.until) : Number.POSITIVE_INFINITY;
  const losses = ring.losses().filter(({ at }) => at >= from && at <= to);
  const events: RingEvent[] = flows.map((flow) => ({ kind: 'flow', flow }));
  if (losses.length === 0) return events;
  const timeOf = (event: RingEvent): number =>
    event.kind === 'flow' ? milliseconds(event.flow.time) : event.kind === 'lost' ? event.at : 0;
  return [...events, ...losses].toSorted((one, other) => timeOf(one) - timeOf(other));
}

/** How many messages may wait for a slow client before the rest is lost, as flows overwritten in the ring would be. */
const maxPending = 4_095;

type Stream = ServerWritableStream<GetFlowsRequest, object>;

/** A ring's event as the message of a stream. */
export function respond(event: RingEvent, node: string, mask: (message: object) => object, now: number): object {
  switch (event.kind) {
    case 'flow':
      return { flow: mask(event.flow), node_name: node, time: event.flow.time };
    case 'lost': {
      const at = timestamp(event.at);
      return { lost_events: { source: event.source, num_events_lost: event.count, first: at, last: at }, node_name: node, time: at };
    }
    case 'node-status':
      return {
        node_status: { state_change: event.state, node_names: event.nodes, message: event.message },
        node_name: node,
        time: timestamp(now),
      };
    default:
      return event satisfies never;
  }
}

function follow(call: Stream, options: ObserverOptions, matches: FlowTest, mask: (message: object) => object): void {
  const until = call.request.until ? milliseconds(call.request.until) : Number.POSITIVE_INFINITY;
  // What comes is held to it as well (v1.20.2 eventsReader.Next), by the time that the record carries.
  const since = call.request.since ? milliseconds(call.request.since) : Number.NEGATIVE_INFINITY;
  let lost = 0;
  const write = (event: RingEvent): void => void call.write(respond(event, options.node, mask, options.now()));
  const stop = options.ring.follow((event) => {
    if (options.now() > until) {
      stop();
      call.end();
      return;
    }
    if (event.kind === 'flow' && (milliseconds(event.flow.time) < since || !matches(event.flow))) return;
    if (call.writableLength > maxPending) {
      lost += 1;
      return;
    }
    if (lost > 0) write({ kind: 'lost', source: 'HUBBLE_RING_BUFFER', count: lost, at: options.now() });
    lost = 0;
    write(event);
  });
  call.on('cancelled', stop);
  call.on('close', stop);
  call.on('error', stop);
}

function getFlows(call: Stream, options: ObserverOptions): void {
  const { request } = call;
  try {
    if (request.first && request.follow) throw new FilterError('first cannot be specified with follow');
    const matches = flowFilter(request.whitelist, request.blacklist);
    const mask = createMask(request.field_mask?.paths ?? []);
    for (const event of heldEvents(options.ring, request, matches)) call.write(respond(event, options.node, mask, options.now()));
    if (request.follow) follow(call, options, matches, mask);
    else call.end();
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    call.emit('error', Object.assign(error, { code: status.INVALID_ARGUMENT }));
  }
}

function recentRate(flows: readonly Flow[], now: number): number {
  const recent = flows.filter((flow) => milliseconds(flow.time) > now - 60_000);
  const [oldest] = recent;
  return oldest ? recent.length / Math.max(0.001, (now - milliseconds(oldest.time)) / 1_000) : 0;
}

const hourMs = 3_600_000;

function namespacesOf(flows: readonly Flow[], now: number): readonly object[] {
  const recent = flows.filter((flow) => milliseconds(flow.time) > now - hourMs);
  const names = new Set(recent.flatMap((flow) => [flow.source.namespace, flow.destination.namespace]).filter((name) => name !== undefined));
  return [...names].toSorted((one, other) => one.localeCompare(other)).map((namespace) => ({ cluster: 'default', namespace }));
}

type Unary = (call: ServerUnaryCall<object, object>, done: sendUnaryData<object>) => void;

/** Serves one node's Observer. */
export async function serveObserver(options: ObserverOptions): Promise<Observer> {
  const startedAt = options.now();
  const server = new Server();
  const counts = () => ({
    num_flows: options.ring.flows().length,
    max_flows: ringCapacity,
    seen_flows: options.ring.seen,
    uptime_ns: Math.round((options.now() - startedAt) * 1_000_000),
  });
  const serverStatus: Unary = (_call, done) =>
    done(null, {
      ...counts(),
      version: `cilium v${ciliumVersion}`,
      flows_rate: recentRate(options.ring.flows(), options.now()),
    });
  // Only Relay knows the nodes; an agent answers exactly this.
  const getNodes: Unary = (_call, done) => done({ code: status.UNIMPLEMENTED, details: 'GetNodes not implemented' });
  const getNamespaces: Unary = (_call, done) => done(null, { namespaces: namespacesOf(options.ring.flows(), options.now()) });
  server.addService(loadService(), {
    GetFlows: (call: Stream) => getFlows(call, options),
    ServerStatus: serverStatus,
    GetNodes: getNodes,
    GetNamespaces: getNamespaces,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${options.port}`, options.credentials ?? ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, stop: () => server.forceShutdown() };
}
