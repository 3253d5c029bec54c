/** Hubble Relay: one Observer that speaks for every agent, with its delays (v1.20.2 pkg/hubble/relay/observer). */
import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import { FilterError, flowFilter } from './filter.ts';
import { milliseconds } from './flow.ts';
import { createMask } from './mask.ts';
import { ciliumVersion, type GetFlowsRequest, heldEvents, respond } from './observer.ts';
import { type Ring, type RingEvent, ringCapacity } from './ring.ts';
import { loadService } from './service.ts';
import { createSortBuffer, sortBufferDefaults } from './sort-buffer.ts';

/** An agent as Relay knows it. */
export interface Peer {
  readonly name: string;
  readonly ring: Ring;
  isAvailable(): boolean;
  /** Calls back when the agent goes away; the return value ends it. */
  onAway(listener: () => void): () => void;
}

export interface Relay {
  readonly address: string;
  /** `false` ends Relay and its streams, `true` starts it again on the same port. */
  setAvailable(available: boolean): Promise<void>;
  stop(): void;
}

export interface RelayOptions {
  readonly peers: readonly Peer[];
  readonly now: () => number;
  /** What the way over Relay adds to a flow, besides the buffer, in milliseconds. */
  readonly delay: () => number;
  readonly sortBuffer?: { readonly capacity: number; readonly drainMs: number };
  /** Left out: plain text. */
  readonly credentials?: ServerCredentials;
}

/** New and returned peers join a follow this often. */
const peersEveryMs = 2_000;

type Stream = ServerWritableStream<GetFlowsRequest, object>;

/** One GetFlows: flows of every peer through the buffer, status messages beside it. */
function serveFlows(call: Stream, options: RelayOptions): void {
  const { request } = call;
  const matches = flowFilter(request.whitelist, request.blacklist);
  const mask = createMask(request.field_mask?.paths ?? []);
  const joined = new Map<string, () => void>();
  const timers = new Set<NodeJS.Timeout>();
  const buffer = createSortBuffer<object>({
    ...(options.sortBuffer ?? sortBufferDefaults),
    now: options.now,
    out: (message) => void call.write(message),
  });
  const status_ = (state: string, names: readonly string[], message = ''): void =>
    void (names.length > 0 && call.write({ node_status: { state_change: state, node_names: names, message } }));

  const arrive = (peer: Peer, event: RingEvent): void => {
    if (event.kind === 'flow' && !matches(event.flow)) return;
    const at = event.kind === 'flow' ? milliseconds(event.flow.time) : options.now();
    const message = respond(event, peer.name, mask, options.now());
    const delay = options.delay();
    if (delay <= 0) {
      buffer.push(at, message);
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      buffer.push(at, message);
    }, delay);
    timers.add(timer);
  };
  const join = (peer: Peer): void => {
    const held = heldEvents(peer.ring, request, matches);
    if (!request.follow) {
      joined.set(peer.name, () => undefined);
      for (const event of held) call.write(respond(event, peer.name, mask, options.now()));
      return;
    }
    for (const event of held) arrive(peer, event);
    const ends = [peer.ring.follow((event) => arrive(peer, event)), peer.onAway(() => leave(peer))];
    joined.set(peer.name, () => {
      for (const end of ends) end();
    });
  };
  const leave = (peer: Peer): void => {
    joined.get(peer.name)?.();
    joined.delete(peer.name);
    status_('NODE_ERROR', [peer.name], 'rpc error: code = Unavailable desc = error reading from server: EOF');
  };
  const look = (): readonly string[] => {
    for (const peer of options.peers) if (!joined.has(peer.name) && peer.isAvailable()) join(peer);
    return options.peers.filter((peer) => !joined.has(peer.name)).map(({ name }) => name);
  };

  const unavailable = look();
  status_('NODE_CONNECTED', [...joined.keys()]);
  status_('NODE_UNAVAILABLE', unavailable);
  if (!request.follow) {
    call.end();
    return;
  }
  // Who joins later is not announced again: only the flows show it.
  const looking = setInterval(look, peersEveryMs);
  const end = (): void => {
    clearInterval(looking);
    buffer.stop();
    for (const timer of timers) clearTimeout(timer);
    for (const stop of joined.values()) stop();
    joined.clear();
  };
  for (const event of ['cancelled', 'close', 'error']) call.on(event, end);
}

function serverStatus({ peers, now }: RelayOptions, startedAt: number): object {
  const available = peers.filter((peer) => peer.isAvailable());
  const seen = available.reduce((sum, { ring }) => sum + ring.seen, 0);
  return {
    num_flows: available.reduce((sum, { ring }) => sum + Math.min(ring.seen, ringCapacity), 0),
    max_flows: available.length * ringCapacity,
    seen_flows: seen,
    uptime_ns: Math.round((now() - startedAt) * 1_000_000),
    num_connected_nodes: { value: available.length },
    num_unavailable_nodes: { value: peers.length - available.length },
    unavailable_nodes: peers.filter((peer) => !peer.isAvailable()).map(({ name }) => name),
    version: `hubble-relay v${ciliumVersion}`,
  };
}

async function open(options: RelayOptions, port: number): Promise<{ readonly port: number; stop(): void }> {
  const startedAt = options.now();
  const server = new Server();
  server.addService(loadService(), {
    GetFlows: (call: Stream) => {
      try {
        serveFlows(call, options);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        call.emit('error', Object.assign(error, { code: status.INVALID_ARGUMENT }));
      }
    },
    ServerStatus: (_call: ServerUnaryCall<object, object>, done: sendUnaryData<object>) => done(null, serverStatus(options, startedAt)),
    GetNodes: (_call: ServerUnaryCall<object, object>, done: sendUnaryData<object>) =>
      done(null, {
        nodes: options.peers.map((peer) => ({ name: peer.name, state: peer.isAvailable() ? 'NODE_CONNECTED' : 'NODE_UNAVAILABLE' })),
      }),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, options.credentials ?? ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    );
  });
  return { port: bound, stop: () => server.forceShutdown() };
}

/** Starts Relay over the agents. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const first = await open(options, 0);
  const { port } = first;
  let running: { stop(): void } | undefined = first;
  return {
    address: `127.0.0.1:${port}`,
    setAvailable: async (available) => {
      if (available) running ??= await open(options, port);
      else {
        running?.stop();
        running = undefined;
      }
    },
    stop: () => running?.stop(),
  };
}
