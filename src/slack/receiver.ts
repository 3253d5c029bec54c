// How Slack reaches us: signed HTTP or Socket Mode, both with Bolt's own receivers.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { HTTPReceiver, type Logger, type Receiver, SocketModeReceiver } from '@slack/bolt';
import { wayOut } from '../net/proxy.ts';
import { isEventOfSlack, isFormOfSlack } from './shape.ts';

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
/** A body of Slack's is far below this; without a limit anybody could fill the memory before the signature is checked. Bytes. */
const LARGEST_BODY = 1_000_000;

export function createDoor(
  entrance: Entrance,
  deps: { readonly logger: Logger; readonly now: () => number; readonly onForged: (code: 'FutureSignature' | 'NoObject') => void },
): Door {
  return entrance.mode === 'http' ? httpDoor(entrance, deps) : socketDoor(entrance, deps.logger);
}

function httpDoor(entrance: Extract<Entrance, { mode: 'http' }>, deps: Parameters<typeof createDoor>[1]): Door {
  const receiver = new HTTPReceiver({
    signingSecret: entrance.signingSecret,
    endpoints: PATH,
    logger: deps.logger,
  });
  const hand = (request: IncomingMessage, response: ServerResponse): void => {
    try {
      receiver.requestListener(request, response);
    } catch {
      // Bolt throws for every path that is not its own.
      notFound(response);
    }
  };
  const listener: RequestListener = (request, response) => {
    if (isAhead(request, deps.now())) {
      deps.onForged('FutureSignature');
      response.writeHead(401).end();
      return;
    }
    if (request.method !== 'POST') return hand(request, response);
    void bodyOf(request).then((body) => {
      if (body === undefined) return refuse(response, 413);
      if (!isOfSlack(body, request.headers['content-type'] ?? '')) {
        deps.onForged('NoObject');
        return refuse(response, 400);
      }
      // Bolt takes a body that was read before from here, and verifies the signature over it.
      hand(Object.assign(request, { rawBody: body }), response);
    });
  };
  const nothing = (): Promise<void> => Promise.resolve();
  return { receiver, listener, open: nothing, isOpen: () => true, close: nothing };
}

function isAhead(request: IncomingMessage, now: number): boolean {
  const header = request.headers['x-slack-request-timestamp'];
  return typeof header === 'string' && Number(header) > now / 1000 + MOST_AHEAD_S;
}

/** The whole body; undefined when it is too large or breaks off. Never rejects. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BODY) return undefined;
      chunks.push(chunk);
    }
  } catch {
    // The other side went away; there is nobody to answer.
    return undefined;
  }
  return Buffer.concat(chunks);
}

/** Bolt reads fields of whatever comes, and falls over what is not there. */
function isOfSlack(body: Buffer, type: string): boolean {
  const text = body.toString('utf8');
  try {
    return type.startsWith('application/x-www-form-urlencoded')
      ? isFormOfSlack(new URLSearchParams(text))
      : isEventOfSlack(JSON.parse(text));
  } catch {
    return false;
  }
}

function refuse(response: ServerResponse, status: number): void {
  if (!response.headersSent) response.writeHead(status, { connection: 'close' });
  response.end();
}

function notFound(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(404);
  response.end();
}

function socketDoor(entrance: Extract<Entrance, { mode: 'socket' }>, logger: Logger): Door {
  const { fetch, dispatcher } = wayOut();
  const receiver = new SocketModeReceiver({
    appToken: entrance.appToken,
    ...(dispatcher && { dispatcher }),
    logger,
    installerOptions: { clientOptions: { fetch, ...(entrance.slackApiUrl ? { slackApiUrl: entrance.slackApiUrl } : {}) } },
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
