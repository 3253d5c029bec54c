// How Slack reaches us: signed HTTP or Socket Mode, both with Bolt's own receivers.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { HTTPReceiver, type Logger, type Receiver, SocketModeReceiver } from '@slack/bolt';

export type Entrance =
  | { readonly mode: 'http'; readonly signingSecret: string }
  | { readonly mode: 'socket'; readonly appToken: string; readonly slackApiUrl?: string };

export interface Door {
  readonly receiver: Receiver;
  /** HTTP mode: what the server hands Slack's requests to. */
  readonly listener?: RequestListener;
  /** Socket Mode: connects. In HTTP mode the server is what opens and closes. */
  open(): Promise<void>;
  /** False while Socket Mode has no connection. */
  isOpen(): boolean;
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
  const listener: RequestListener = (request, response) => {
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
  };
  const nothing = (): Promise<void> => Promise.resolve();
  return { receiver, listener, open: nothing, isOpen: () => true, close: nothing };
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
  let open = false;
  receiver.client.on('connected', () => (open = true));
  for (const lost of ['disconnected', 'reconnecting', 'close']) receiver.client.on(lost, () => (open = false));
  return {
    receiver,
    isOpen: () => open,
    open: async () => void (await receiver.start()),
    close: () => receiver.stop(),
  };
}
