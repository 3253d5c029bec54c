/** Envoy's access-log service: every record arrives here as it is made and becomes an `Exchange`. */
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, Server, ServerCredentials, type ServerReadableStream, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { logNames } from './resources.ts';

/** One HTTP exchange as Envoy saw it. Times are Unix milliseconds with fractions. */
export interface Exchange {
  /** `reached` = a connection to the pod exists and the request goes there; `ended` = the response is out, or never will be. */
  readonly moment: 'reached' | 'ended';
  readonly requestId: string;
  readonly startedAt: number;
  /** When the response began to leave Envoy; undefined when there was none. */
  readonly respondedAt?: number;
  readonly endedAt: number;
  /** 0 when there was no response. */
  readonly status: number;
  /** gRPC's own status, where the answer had one. */
  readonly grpcStatus?: number;
  readonly cluster: string;
  /** `<namespace>/<route>/<rule>`, empty when no route matched. */
  readonly routeName: string;
  readonly upstreamPort: number;
  /** `address:port` of the pod, and of Envoy's own end of the connection to it; empty where there was none. */
  readonly upstream: string;
  readonly upstreamLocal: string;
  readonly clientPort: number;
  /** Port of the listener that took it. */
  readonly listenerPort: number;
  readonly method: string;
  readonly url: string;
  readonly protocol: string;
  readonly userAgent: string;
  /** Further headers that Envoy was told to log. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names of the response flags that were set. */
  readonly flags: readonly string[];
}

interface Time {
  readonly seconds: number;
  readonly nanos: number;
}

interface Address {
  readonly socket_address?: { readonly address: string; readonly port_value: number };
}

interface Entry {
  readonly common_properties: {
    readonly downstream_remote_address?: Address;
    readonly downstream_local_address?: Address;
    readonly upstream_remote_address?: Address;
    readonly upstream_local_address?: Address;
    readonly start_time?: Time;
    readonly duration?: Time;
    readonly time_to_first_downstream_tx_byte?: Time;
    readonly upstream_cluster: string;
    readonly route_name: string;
    readonly stream_id: string;
    readonly response_flags?: Readonly<Record<string, boolean>>;
  };
  readonly protocol_version: number;
  readonly request?: {
    readonly request_method: number;
    readonly scheme: string;
    readonly authority: string;
    readonly path: string;
    readonly user_agent: string;
    readonly request_id: string;
    readonly request_headers?: Readonly<Record<string, string>>;
  };
  readonly response?: {
    readonly response_code?: { readonly value: number };
    readonly response_headers?: Readonly<Record<string, string>>;
    readonly response_trailers?: Readonly<Record<string, string>>;
  };
}

interface Message {
  readonly identifier?: { readonly log_name: string };
  readonly http_logs?: { readonly log_entry: readonly Entry[] };
}

const methods = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const protocols = ['', 'HTTP/1.0', 'HTTP/1.1', 'HTTP/2', 'HTTP/3'];

function textOf(address: Address | undefined): string {
  return address?.socket_address ? `${address.socket_address.address}:${address.socket_address.port_value}` : '';
}

const milliseconds = (time: Time): number => time.seconds * 1_000 + time.nanos / 1_000_000;

function readEntry(entry: Entry, moment: Exchange['moment'], now: number): Exchange {
  const common = entry.common_properties;
  const startedAt = common.start_time ? milliseconds(common.start_time) : now;
  // An answer without a body has it in its headers.
  const grpcStatus = entry.response?.response_trailers?.['grpc-status'] ?? entry.response?.response_headers?.['grpc-status'];
  const firstByte = common.time_to_first_downstream_tx_byte;
  return {
    moment,
    requestId: entry.request?.request_id || common.stream_id,
    startedAt,
    ...(firstByte ? { respondedAt: startedAt + milliseconds(firstByte) } : {}),
    endedAt: common.duration ? startedAt + milliseconds(common.duration) : now,
    status: entry.response?.response_code?.value ?? 0,
    ...(grpcStatus === undefined ? {} : { grpcStatus: Number(grpcStatus) }),
    cluster: common.upstream_cluster,
    routeName: common.route_name,
    upstreamPort: common.upstream_remote_address?.socket_address?.port_value ?? 0,
    upstream: textOf(common.upstream_remote_address),
    upstreamLocal: textOf(common.upstream_local_address),
    listenerPort: common.downstream_local_address?.socket_address?.port_value ?? 0,
    clientPort: common.downstream_remote_address?.socket_address?.port_value ?? 0,
    method: methods[entry.request?.request_method ?? 0] ?? '',
    url: `${entry.request?.scheme || 'http'}://${entry.request?.authority ?? ''}${entry.request?.path ?? ''}`,
    protocol: protocols[entry.protocol_version] ?? '',
    userAgent: entry.request?.user_agent ?? '',
    headers: entry.request?.request_headers ?? {},
    flags: Object.entries(common.response_flags ?? {}).flatMap(([name, set]) => (set ? [name] : [])),
  };
}

export interface AccessLogServer {
  readonly port: number;
  close(): void;
}

/** Serves the access-log API on a free port (default: of loopback) and hands each exchange on, in the order of arrival. */
export async function serveAccessLog(
  onExchange: (exchange: Exchange) => void,
  now: () => number,
  host = '127.0.0.1',
): Promise<AccessLogServer> {
  const definition = loadSync(fileURLToPath(new URL('access-log.proto', import.meta.url)), {
    keepCase: true,
    longs: Number,
    defaults: true,
    oneofs: false,
  });
  const loaded = loadPackageDefinition(definition) as unknown as {
    readonly envoy: {
      readonly service: { readonly accesslog: { readonly v3: { readonly AccessLogService: { readonly service: ServiceDefinition } } } };
    };
  };
  const server = new Server();
  server.addService(loaded.envoy.service.accesslog.v3.AccessLogService.service, {
    StreamAccessLogs: (call: ServerReadableStream<Message, object>, done: (error: null, response: object) => void) => {
      let moment: Exchange['moment'] = 'ended';
      call.on('data', (message: Message) => {
        if (message.identifier) moment = message.identifier.log_name === logNames.upstream ? 'reached' : 'ended';
        for (const entry of message.http_logs?.log_entry ?? []) {
          const flushedEarly = (entry.response?.response_code?.value ?? 0) === 0 && !entry.common_properties.duration;
          // The upstream log speaks twice: when the stream is up and when it ends. Only the first is news.
          if (moment === 'reached' && !flushedEarly) continue;
          onExchange(readEntry(entry, moment, now()));
        }
      });
      call.on('end', () => done(null, {}));
      // Envoy going away is the end of its log, nothing to report.
      call.on('error', () => undefined);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:0`, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { port, close: () => server.forceShutdown() };
}
