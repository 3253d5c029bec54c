/**
 * The door of a pod through which the gateway's proxy comes in. Shut, it does what a datapath does that drops packets: a new connection gets no
 * answer until the proxy would have given up connecting, and what is sent on an old one goes unheard until the door opens again.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** `ask` = every request is first put to the pod's own layer 7 proxy. */
export type DoorState = 'open' | 'shut' | 'ask';

/** What a layer 7 proxy sees of a request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface DoorEvents {
  /** The proxy connects from this port. */
  readonly opened: (port: number) => void;
  readonly closed: (port: number) => void;
  /** A request on a connection that had come up before the door was shut. */
  readonly unheard: (port: number) => void;
  /** Resolves to whether the request may pass. */
  readonly ask: (port: number, request: SeenRequest) => Promise<boolean>;
  readonly answered: (port: number, request: SeenRequest, status: number, latencyMs: number) => void;
}

export interface Door {
  readonly port: number;
  set(state: DoorState): void;
  /** Closes the port and every connection; `listen` opens it again. */
  close(): Promise<void>;
  listen(port: number): Promise<void>;
}

// Cilium's gateway clusters have this connect timeout (v1.20.2 operator/pkg/model/translation): then Envoy answers 503.
const connectTimeoutMs = 5_000;

/** What HTTP/1.1 and HTTP/2 have in common of a request. */
export interface PodRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Over HTTP/2 to destroy it ends the one request. */
  readonly socket: { readonly remotePort?: number | undefined; readonly destroyed: boolean; destroy(): unknown };
  resume(): unknown;
}

export interface PodResponse {
  readonly statusCode: number;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  end(body: string | Uint8Array): unknown;
  on(event: 'finish', listener: () => void): unknown;
}

export type Handle<Request = PodRequest, Response = PodResponse> = (request: Request, response: Response) => void;

function seenIn(request: PodRequest): SeenRequest {
  return {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    host: request.headers.host ?? String(request.headers[':authority'] ?? ''),
    headers: Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) => (name.startsWith(':') ? [] : [[name, String(value)]])),
    ),
  };
}

function refuse(response: PodResponse): void {
  // What Cilium's HTTP filter answers (proxylib: "Access denied").
  response.writeHead(403, { 'content-type': 'text/plain' });
  response.end('Access denied\r\n');
}

/** Passes connections to `adopt` and requests to `handle`; `watch` must see every request of an adopted connection first. */
export async function openDoor<Request extends PodRequest, Response extends PodResponse>(
  adopt: (socket: Socket) => void,
  handle: Handle<Request, Response>,
  events: DoorEvents,
): Promise<Door & { readonly watch: Handle<Request, Response> }> {
  let state: DoorState = 'open';
  const held = new Map<Socket, NodeJS.Timeout>();
  const sockets = new Set<Socket>();
  let waiting: { readonly request: Request; readonly response: Response }[] = [];

  const pass: Handle<Request, Response> = (request, response) => {
    const [port, seen, from] = [request.socket.remotePort ?? 0, seenIn(request), performance.now()];
    events.ask(port, seen).then(
      (permits) => {
        response.on('finish', () => events.answered(port, seen, response.statusCode, performance.now() - from));
        if (permits) handle(request, response);
        else refuse(response);
      },
      () => request.socket.destroy(),
    );
  };

  const watch: Handle<Request, Response> = (request, response) => {
    if (state === 'shut') {
      events.unheard(request.socket.remotePort ?? 0);
      waiting.push({ request, response });
    } else if (state === 'ask') pass(request, response);
    else handle(request, response);
  };

  const hold = (socket: Socket): void => {
    const timer = setTimeout(() => {
      held.delete(socket);
      socket.resetAndDestroy();
    }, connectTimeoutMs);
    held.set(socket, timer);
    socket.pause();
  };

  const come = (socket: Socket): void => {
    const port = socket.remotePort ?? 0;
    sockets.add(socket);
    events.opened(port);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      clearTimeout(held.get(socket));
      held.delete(socket);
      events.closed(port);
    });
    if (state === 'shut') hold(socket);
    else adopt(socket);
  };

  const server: Server = createServer({ pauseOnConnect: true }, come);
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const release = (): void => {
    for (const [socket, timer] of held) {
      clearTimeout(timer);
      adopt(socket);
    }
    held.clear();
    const late = waiting.filter(({ request }) => !request.socket.destroyed);
    waiting = [];
    for (const { request, response } of late) watch(request, response);
  };

  return {
    port,
    watch,
    listen,
    set: (next) => {
      const was = state;
      state = next;
      if (was === 'shut' && next !== 'shut') release();
    },
    close: () =>
      new Promise((resolve) => {
        for (const timer of held.values()) clearTimeout(timer);
        held.clear();
        waiting = [];
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
