import { fileURLToPath } from 'node:url';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { Client } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { ownHandshakes } from '../../net/handshakes.ts';
import { reasonOf } from './failure.ts';
import type { GetFlowsResponse, ServerStatus } from './flow.ts';
import { timestampOf } from './flow.ts';
import { type Files, type HubbleTls, readFiles } from './tls.ts';

export interface FlowsRequest {
  /** Epoch ms; older flows that the ring still holds come first. */
  readonly since?: number | undefined;
  readonly until?: number;
  readonly follow: boolean;
  /** Alternatives (flow.FlowFilter); left out: what watches need. Empty: everything. */
  readonly whitelist?: readonly object[];
  /** The oldest so many instead of the newest; not with `follow`. */
  readonly first?: number;
  /** The newest so many that the ring holds, before what comes. */
  readonly last?: number;
}

/** One agent's (or Relay's) Observer. */
export interface Observer {
  /** Rejects when the agent does not answer within `deadlineMs`. */
  status(deadlineMs: number): Promise<ServerStatus>;
  /**
   * Streams HTTP records and drops. `ended` is called once: with undefined after a normal end, else with the reason; of a stream that is cancelled
   * before its turn to connect has come it is not.
   */
  flows(request: FlowsRequest, hear: (response: GetFlowsResponse) => void, ended: (reason?: string) => void): { cancel(): void };
  close(): void;
}

/**
 * Access log records (L7), drops and policy verdicts: all that any watch needs, so one stream serves them all, whichever pods come and go.
 * A verdict comes once per new connection; packets and replies have none.
 */
const WHITELIST = [{ event_type: [{ type: 129 }] }, { event_type: [{ type: 1 }] }, { event_type: [{ type: 5 }] }];
const TRACE = { event_type: [{ type: 4 }], reply: [false] };

/**
 * Beside those, everything of the way there of connections from and to some namespaces: real agents give no verdict where no policy selects the pod
 * (Cilium 1.20.2). Left to the agent, since traces are most of what a ring holds.
 */
export function withTraces(namespaces: readonly string[]): readonly object[] {
  const pods = namespaces.map((namespace) => `${namespace}/`);
  return [...WHITELIST, { ...TRACE, source_pod: pods }, { ...TRACE, destination_pod: pods }];
}

/** How connections begin, as far as no policy speaks of them. Whatever comes after the first packet is left to the agent. */
export const BEGINNINGS = [
  { ...TRACE, tcp_flags: [{ SYN: true }] },
  { ...TRACE, protocol: ['udp', 'sctp', 'icmp'] },
];

/** How connections go on and end: an answer to the first packet, or the refusal of it, and the last packets of either side. */
export const ANSWERS = [
  { event_type: [{ type: 4 }], reply: [true], tcp_flags: [{ SYN: true, ACK: true }, { RST: true }] },
  { event_type: [{ type: 4 }], tcp_flags: [{ FIN: true }] },
];

/** The same of connections from and to some namespaces. */
export function answersOf(namespaces: readonly string[]): readonly object[] {
  const pods = namespaces.map((namespace) => `${namespace}/`);
  return ANSWERS.flatMap((one) => [
    { ...one, source_pod: pods },
    { ...one, destination_pod: pods },
  ]);
}

const LONGEST_HANDSHAKE_MS = 5_000;

const PROTO = fileURLToPath(new URL('./proto', import.meta.url));

let methods: Record<'GetFlows' | 'ServerStatus', MethodDefinition<object, object>> | undefined;

function methodsOf(): NonNullable<typeof methods> {
  // Parsed once per process; the parse takes tens of milliseconds.
  methods ??= loadSync('observer/observer.proto', { includeDirs: [PROTO], keepCase: true, longs: Number, enums: String, oneofs: false })[
    'observer.Observer'
  ] as unknown as NonNullable<typeof methods>;
  return methods;
}

/** Opens a channel to `address` (`host:port`) with its first question; certificates that were renewed since are read before the next one. */
export function connectObserver(address: string, tls?: HubbleTls): Observer {
  const channel = createChannel(address, tls);
  const { GetFlows, ServerStatus } = methodsOf();
  return {
    status: (deadlineMs) =>
      new Promise((resolve, reject) => {
        const done = (error: ServiceError | null, value?: object): void =>
          error ? reject(new Error(reasonOf(error), { cause: error })) : resolve((value ?? {}) as ServerStatus);
        const { path, requestSerialize, responseDeserialize } = ServerStatus;
        const client = channel.client();
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, { deadline: Date.now() + deadlineMs }, done);
      }),
    flows(request, hear, ended) {
      const { path, requestSerialize, responseDeserialize } = GetFlows;
      const { since, until, follow, whitelist = WHITELIST, first, last } = request;
      const message = {
        follow,
        whitelist,
        ...(first !== undefined && { first: true, number: first }),
        ...(last !== undefined && { number: last }),
        ...(since !== undefined && { since: timestampOf(since) }),
        ...(until !== undefined && { until: timestampOf(until) }),
      };
      const start = (begun: (client: Client) => void) => {
        let client: Client;
        try {
          client = channel.client();
        } catch (error) {
          queueMicrotask(() => ended(error instanceof Error ? error.message : String(error)));
          return undefined;
        }
        const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message);
        const leave = channel.hold();
        wire(call, hear, (reason) => {
          leave();
          ended(reason);
        });
        begun(client);
        return () => {
          leave();
          call.cancel();
        };
      };
      return { cancel: paced(channel.needsHandshake(), start) };
    },
    close: () => channel.close(),
  };
}

/** Starts it, in its turn where that takes a handshake. Returns what cancels it, also while it waits. */
function paced(needsHandshake: boolean, start: (begun: (client: Client) => void) => (() => void) | undefined): () => void {
  if (!needsHandshake) return start(() => {}) ?? (() => {});
  let isCancelled = false;
  let cancel: (() => void) | undefined;
  ownHandshakes.pace((done) => {
    if (!isCancelled) cancel = start((client) => client.waitForReady(Date.now() + LONGEST_HANDSHAKE_MS, done));
    if (!cancel) done();
  });
  return () => {
    isCancelled = true;
    cancel?.();
  };
}

/** The present connection to one server. A stream keeps the one that it was opened on; certificates do not end what is established. */
function createChannel(address: string, tls: HubbleTls | undefined) {
  let open: { readonly client: Client; readonly version: string } | undefined;
  let streams = 0;
  return {
    /** Throws when the certificates cannot be read. */
    client(): Client {
      if (open && (streams > 0 || !tls)) return open.client;
      const files = readFiles(tls);
      if (open?.version === files.version) return open.client;
      open?.client.close();
      open = { client: newClient(address, files, tls?.serverName), version: files.version };
      return open.client;
    },
    /** Whether the next question may begin a TLS connection. */
    needsHandshake: () => tls !== undefined && streams === 0,
    /** Says that a stream is open; the function that comes back says once that it has ended. */
    hold(): () => void {
      let isOver = false;
      streams += 1;
      return () => {
        if (!isOver) streams -= 1;
        isOver = true;
      };
    },
    close: () => open?.client.close(),
  };
}

function newClient(address: string, { credentials }: Files, serverName: string | undefined): Client {
  return new Client(address, credentials, {
    // Agents are in the cluster: a proxy of the environment does not lead there.
    'grpc.enable_http_proxy': 0,
    ...(serverName && { 'grpc.ssl_target_name_override': serverName }),
    // Shared connections also share their back-off: a fresh question would be answered with an old failure.
    'grpc.use_local_subchannel_pool': 1,
    // Our own loop decides when to try again; the channel must not wait longer than that.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
  });
}

/** A server that is known not to be reachable: every question is answered with the reason. */
export function unreachable(reason: string): Observer {
  return {
    status: () => Promise.reject(new Error(reason)),
    flows: (_request, _hear, ended) => {
      queueMicrotask(() => ended(reason));
      return { cancel: () => undefined };
    },
    close: () => undefined,
  };
}

function wire(call: ClientReadableStream<object>, hear: (response: GetFlowsResponse) => void, ended: (reason?: string) => void): void {
  let over = false;
  const end = (reason?: string): void => {
    if (over) return;
    over = true;
    ended(reason);
  };
  call.on('data', (response: object) => {
    if (!over) hear(response as GetFlowsResponse);
  });
  call.on('error', (error: ServiceError) => end(reasonOf(error)));
  call.on('end', () => end());
}
