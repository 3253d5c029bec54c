// Socket Mode: every envelope goes to exactly one connection and must be acknowledged by its id.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { isRecord } from './block-kit/checks.ts';
import { freshId } from './ids.ts';
import type { Json } from './messages.ts';
import { SlackRefusal } from './refusal.ts';

export interface Ack {
  readonly payload: unknown;
}

const pingMs = 10_000;

export class SocketHub {
  readonly #appId: string;
  readonly #max: number;
  readonly #changed: () => void;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1_048_576 });
  readonly #tickets = new Set<string>();
  readonly #open = new Set<WebSocket>();
  readonly #waiting = new Map<string, (ack: Ack) => void>();
  readonly #pinger: NodeJS.Timeout;
  #turn = 0;

  constructor(appId: string, max: number, changed: () => void) {
    this.#appId = appId;
    this.#max = max;
    this.#changed = changed;
    this.#pinger = setInterval(() => {
      for (const socket of this.#open) socket.ping();
    }, pingMs).unref();
  }

  get connections(): number {
    return this.#open.size;
  }

  /** A ticket for one connection, part of the URL that apps.connections.open returns. */
  ticket(): string {
    const ticket = freshId('', 16).toLowerCase();
    this.#tickets.add(ticket);
    const oldest = this.#tickets.size > 200 ? this.#tickets.keys().next().value : undefined;
    if (oldest !== undefined) this.#tickets.delete(oldest);
    return ticket;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const ticket = new URL(request.url ?? '/', 'http://slack').searchParams.get('ticket') ?? '';
    if (!this.#tickets.delete(ticket)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#welcome(ws));
  }

  /**
   * Sends an envelope to one connection, the next in turn, and waits for its acknowledgement.
   * Throws SlackRefusal dispatch_failed when nobody is connected, operation_timeout after `ackMs`.
   */
  send(envelope: Json & { readonly envelope_id: string }, ackMs: number): Promise<Ack> {
    const ready = [...this.#open].filter((socket) => socket.readyState === WebSocket.OPEN);
    const socket = ready[this.#turn++ % Math.max(1, ready.length)];
    if (!socket) return Promise.reject(new SlackRefusal('dispatch_failed'));
    const id = envelope.envelope_id;
    return new Promise<Ack>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new SlackRefusal('operation_timeout'));
      }, ackMs);
      this.#waiting.set(id, (ack) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(ack);
      });
      socket.send(JSON.stringify(envelope));
    });
  }

  /** Tells every connection to go; `warning` only announces it, the others close the socket after the word. */
  disconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled'): void {
    for (const socket of this.#open) {
      socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'playground' } }));
      if (reason !== 'warning') socket.close(1000);
    }
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.#open) socket.terminate();
  }

  stop(): void {
    clearInterval(this.#pinger);
    for (const socket of this.#open) socket.close(1000);
    // Clients get a moment for the closing handshake; none may hold the process up.
    setTimeout(() => this.cut(), 300).unref();
    this.#server.close();
  }

  #welcome(socket: WebSocket): void {
    if (this.#open.size >= this.#max) {
      socket.send(JSON.stringify({ type: 'disconnect', reason: 'too_many_websockets', debug_info: { host: 'playground' } }));
      socket.close(1000);
      return;
    }
    this.#open.add(socket);
    const gone = (): void => {
      if (this.#open.delete(socket)) this.#changed();
    };
    socket.on('close', gone);
    socket.on('error', gone);
    socket.on('message', (data) => this.#heard(String(data)));
    const debug = { host: 'playground', build_number: 1, approximate_connection_time: 18_060 };
    const hello = { type: 'hello', num_connections: this.#open.size, connection_info: { app_id: this.#appId }, debug_info: debug };
    socket.send(JSON.stringify(hello));
    this.#changed();
  }

  #heard(text: string): void {
    let said: unknown;
    try {
      said = JSON.parse(text);
    } catch {
      return; // Slack, too, ignores what is not JSON on the socket.
    }
    if (isRecord(said) && typeof said['envelope_id'] === 'string') this.#waiting.get(said['envelope_id'])?.({ payload: said['payload'] });
  }
}
