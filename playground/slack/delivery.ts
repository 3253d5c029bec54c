// From Slack to the app: signed HTTP or Socket Mode, acknowledged within three seconds or given up.
import { randomUUID } from 'node:crypto';
import { isRecord } from './block-kit/checks.ts';
import type { Core } from './core.ts';
import type { Json } from './messages.ts';
import { SlackRefusal } from './refusal.ts';
import { signedHeaders } from './signature.ts';
import type { SocketHub } from './sockets.ts';

export type DeliveryKind = 'slash_commands' | 'interactive' | 'events_api';

/** A request as it went out, byte for byte, so that it can be sent again. */
export interface SentRequest {
  readonly kind: DeliveryKind;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly envelope: (Json & { readonly envelope_id: string }) | undefined;
}

/** How one delivery ended. `error` is Slack's word for it; times in milliseconds. */
export interface Delivered {
  readonly ok: boolean;
  readonly error: string | undefined;
  readonly status: number | undefined;
  readonly ackMs: number;
  /** What the app acknowledged with: an object, a text, or undefined for an empty acknowledgement. */
  readonly ack: unknown;
}

function encode(kind: DeliveryKind, payload: Json): { body: string; type: string } {
  if (kind === 'events_api') return { body: JSON.stringify(payload), type: 'application/json' };
  const fields = kind === 'interactive' ? { payload: JSON.stringify(payload) } : (payload as Record<string, string>);
  return { body: new URLSearchParams(fields).toString(), type: 'application/x-www-form-urlencoded' };
}

function parseAck(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export class Deliveries {
  readonly #core: Core;
  readonly #hub: SocketHub;
  readonly #signal: AbortSignal;
  readonly #sent: SentRequest[] = [];
  #requestUrl: string | undefined;

  constructor(core: Core, hub: SocketHub, signal: AbortSignal) {
    this.#core = core;
    this.#hub = hub;
    this.#signal = signal;
    this.#requestUrl = core.app.requestUrl;
  }

  /** Sets where the app listens. */
  setRequestUrl(url: string): void {
    this.#requestUrl = url;
  }

  /** The last 50 requests, oldest first. */
  sent(): readonly SentRequest[] {
    return [...this.#sent];
  }

  /** Sends one payload to the app. `label` is its name in the log. */
  deliver(kind: DeliveryKind, payload: Json, label: string, retry?: { num: number; reason: string }): Promise<Delivered> {
    const { body, type } = encode(kind, payload);
    const socketMode = this.#core.app.socketMode ?? false;
    const id = randomUUID();
    const retries = retry ? { 'x-slack-retry-num': String(retry.num), 'x-slack-retry-reason': retry.reason } : {};
    const request: SentRequest = {
      kind,
      url: this.#requestUrl,
      headers: { 'content-type': type, ...signedHeaders(this.#core.app.signingSecret, body, this.#core.now()), ...retries },
      body,
      envelope: socketMode
        ? {
            type: kind,
            envelope_id: id,
            payload,
            accepts_response_payload: kind !== 'events_api',
            retry_attempt: retry?.num ?? 0,
            retry_reason: retry?.reason ?? '',
          }
        : undefined,
    };
    this.#sent.push(request);
    if (this.#sent.length > 50) this.#sent.shift();
    return this.transmit(request, label);
  }

  /** Sends exactly this request, signature and all, however often it was sent before. */
  async transmit(request: SentRequest, label: string): Promise<Delivered> {
    const startedAt = this.#core.now();
    const elapsed = (): number => this.#core.now() - startedAt;
    let result: Delivered;
    try {
      if (this.#core.faults.strikes('loseDeliveries')) throw new SlackRefusal('dispatch_failed');
      const { status, ack } = request.envelope ? await this.#bySocket(request.envelope) : await this.#byHttp(request);
      const ok = status === 200;
      result = { ok, error: ok ? undefined : 'dispatch_failed', status, ackMs: elapsed(), ack: ok ? ack : undefined };
    } catch (error) {
      if (!(error instanceof SlackRefusal)) throw error;
      result = { ok: false, error: error.code, status: undefined, ackMs: elapsed(), ack: undefined };
    }
    const refusal =
      result.error === undefined ? {} : { refusal: result.status === undefined ? result.error : `${result.error} (HTTP ${result.status})` };
    this.#core.log.add({
      direction: 'out',
      method: label,
      ok: result.ok,
      ms: result.ackMs,
      summary: request.envelope ? 'socket' : 'http',
      ...refusal,
    });
    return result;
  }

  async #bySocket(envelope: Json & { readonly envelope_id: string }): Promise<{ status: number; ack: unknown }> {
    const { payload } = await this.#hub.send(envelope, this.#core.limits.ackMs);
    const empty = payload === undefined || payload === null || (isRecord(payload) && Object.keys(payload).length === 0);
    return { status: 200, ack: empty ? undefined : payload };
  }

  async #byHttp(request: SentRequest): Promise<{ status: number; ack: unknown }> {
    // The address is looked up at sending time: a replay goes to the app where it is now.
    const url = this.#requestUrl ?? request.url;
    if (url === undefined) throw new SlackRefusal('dispatch_failed');
    const late = AbortSignal.timeout(this.#core.limits.ackMs);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: request.headers,
        body: request.body,
        redirect: 'manual',
        signal: AbortSignal.any([late, this.#signal]),
      });
      return { status: response.status, ack: parseAck(await response.text()) };
    } catch {
      // Nobody listens, the connection broke, or three seconds are over: Slack tells these two cases apart, no more.
      throw new SlackRefusal(late.aborted ? 'operation_timeout' : 'dispatch_failed');
    }
  }
}
