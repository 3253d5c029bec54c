// How Slack reaches us: signed HTTP or Socket Mode, both with Bolt's own receivers.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HTTPReceiver, type Logger, type Receiver, SocketModeReceiver } from '@slack/bolt';

export type Entrance =
  | { readonly mode: 'http'; readonly signingSecret: string; readonly port: number; readonly host?: string }
  | { readonly mode: 'socket'; readonly appToken: string; readonly slackApiUrl?: string };

export interface Door {
  readonly receiver: Receiver;
  /** Begins to take requests. Resolves with the port in HTTP mode. */
  open(): Promise<number | undefined>;
  /** Takes no more requests; those under way keep their connection until they are answered. */
  close(): Promise<void>;
}

/** Bolt refuses signatures that are older than 5 minutes, but takes any from the future; a clock may be off by this much. Seconds. */
const MOST_AHEAD_S = 60;
const PATH = '/slack/events';

export function createDoor(
  entrance: Entrance,
  deps: { readonly logger: Logger; readonly now: () => number; readonly onForged: () => void },
): Door {
  return entrance.mode === 'http' ? httpDoor(entrance, deps) : socketDoor(entrance, deps.logger);
}

function httpDoor(entrance: Extract<Entrance, { mode: 'http' }>, deps: Parameters<typeof createDoor>[1]): Door {
  const receiver = new HTTPReceiver({
    signingSecret: entrance.signingSecret,
    endpoints: PATH,
    logger: deps.logger,
    // A body of Slack's is far below this; without a limit anybody could fill the memory before the signature is checked.
    bodyLimit: 1_000_000,
  });
  const server = createServer((request, response) => {
    if (isAhead(request, deps.now())) {
      deps.onForged();
      response.writeHead(401).end();
      return;
    }
    try {
      receiver.requestListener(request, response);
    } catch {
      // Bolt throws for every path that is not its own.
      notFound(response);
    }
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  return { receiver, open: () => listen(server, entrance.port, entrance.host), close: () => closeServer(server) };
}

function isAhead(request: IncomingMessage, now: number): boolean {
  const header = request.headers['x-slack-request-timestamp'];
  return typeof header === 'string' && Number(header) > now / 1000 + MOST_AHEAD_S;
}

function notFound(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(404);
  response.end();
}

function socketDoor(entrance: Extract<Entrance, { mode: 'socket' }>, logger: Logger): Door {
  const receiver = new SocketModeReceiver({
    appToken: entrance.appToken,
    logger,
    ...(entrance.slackApiUrl ? { installerOptions: { clientOptions: { slackApiUrl: entrance.slackApiUrl } } } : {}),
  });
  return {
    receiver,
    open: async () => {
      await receiver.start();
      return undefined;
    },
    close: () => receiver.stop(),
  };
}

/** Listens and resolves with the port that was taken (0 asks for any). */
export function listen(server: Server, port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host ? { host } : {}) }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Resolves when the last request is answered. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
  });
}
