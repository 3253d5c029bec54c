/** The two ways in which demo pods speak: HTTP/1.1, and gRPC over HTTP/2 without TLS. */
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Fault } from './fault.ts';

export type Protocol = 'http' | 'grpc';

/** How a request is to be answered. */
export interface Answer {
  /** HTTP status, for those who ask over HTTP. */
  readonly status: number;
  /** gRPC status, for those who ask over gRPC; undefined = an answer that is not gRPC at all. */
  readonly grpcStatus: number | undefined;
  readonly pod: string;
  readonly version: string;
}

/** One protocol's server and what has to be known of it. */
export interface Speech<Request, Response> {
  readonly server: HttpServer | Http2Server;
  /** The connection that a request came on. */
  carrier(request: Request): object;
  /** Takes a connection over that somebody else accepted; what `carrier` will say of its requests. */
  adopt(socket: Socket): object;
  answer(response: Response, answer: Answer): void;
  /** Breaks one request off without an answer. */
  reset(request: Request): void;
  /** How to end, later, a request that is left without an answer. */
  hold(request: Request): () => void;
  closeConnections(): void;
}

type Route<Request, Response> = (request: Request, response: Response) => void;

const keepAliveTimeout = 60_000;

/** HTTP/1.1. */
export function speakHttp(
  route: Route<IncomingMessage, ServerResponse<IncomingMessage>>,
): Speech<IncomingMessage, ServerResponse<IncomingMessage>> {
  const server = createServer({ keepAliveTimeout }, route);
  return {
    server,
    carrier: (request) => request.socket,
    adopt: (socket) => {
      server.emit('connection', socket);
      return socket;
    },
    answer: (response, { status, pod, version }) => {
      response.writeHead(status, { 'content-type': 'application/json', 'x-pod': pod });
      response.end(JSON.stringify({ pod, version, ok: status < 400 }));
    },
    reset: (request) => void request.socket.resetAndDestroy(),
    hold: (request) => () => request.socket.destroy(),
    closeConnections: () => server.closeAllConnections(),
  };
}

/** A gRPC message: not compressed, and its length before it. */
function message(body: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(5 + body.length);
  framed.writeUInt32BE(body.length, 1);
  framed.set(body, 5);
  return framed;
}

/** grpc.health.v1.HealthCheckResponse with `status: SERVING`. */
const serving = message(Uint8Array.of(0x08, 0x01));

/** Every method answers as grpc.health.v1.Health/Check does (gRPC over HTTP/2: PROTOCOL-HTTP2.md; the health protocol: health-checking.md). */
export function speakGrpc(route: Route<Http2ServerRequest, Http2ServerResponse>): Speech<Http2ServerRequest, Http2ServerResponse> {
  const sessions = new Set<ServerHttp2Session>();
  let newest: ServerHttp2Session | undefined;
  const server = createHttp2Server(route);
  server.on('session', (session: ServerHttp2Session) => {
    newest = session;
    sessions.add(session);
    // The peer that goes away in the middle of a frame is the demo's faults at work.
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
  });
  return {
    server,
    carrier: (request) => request.stream.session ?? request.stream,
    adopt: (socket) => {
      newest = undefined;
      server.emit('connection', socket);
      return newest ?? socket;
    },
    answer: (response, { status, grpcStatus, pod }) => {
      if (response.stream.destroyed) return;
      if (grpcStatus === undefined) {
        response.writeHead(status, { 'content-type': 'text/plain' });
        response.end(`${status}\n`);
        return;
      }
      response.writeHead(200, { 'content-type': 'application/grpc', 'x-pod': pod });
      response.addTrailers({ 'grpc-status': String(grpcStatus), ...(grpcStatus === 0 ? {} : { 'grpc-message': 'told to fail' }) });
      if (grpcStatus === 0) response.end(serving);
      else response.end();
    },
    reset: ({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    hold:
      ({ stream }) =>
      () =>
        stream.close(constants.NGHTTP2_CANCEL),
    closeConnections: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

/** What a pod says to one request, by the faults it has. `dice` draws a uniform number for each fault that needs one. */
export function answerFor(fault: Fault, starved: boolean, dice: () => number): Pick<Answer, 'status' | 'grpcStatus'> {
  if (starved) return { status: 503, grpcStatus: 14 };
  if (dice() < fault.errorRate) return { status: fault.status, grpcStatus: undefined };
  if (fault.grpcRate > 0 && dice() < fault.grpcRate) return { status: 200, grpcStatus: fault.grpcStatus };
  return { status: 200, grpcStatus: 0 };
}
