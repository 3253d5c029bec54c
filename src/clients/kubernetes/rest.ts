import http from 'node:http';
import https from 'node:https';
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { KubernetesIdentity } from '../../domain/lifecycle/actor.ts';
import { ClusterFailure, failureOf } from './failure.ts';
import { PacedAgent } from './paced-agent.ts';

/** One request to the Kubernetes API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Whom the cluster shall see instead of the bot. */
  readonly as?: KubernetesIdentity | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds until the call is given up; for a stream, until its headers are there. */
  readonly deadlineMs: number;
  /** Hears the headers of the answer, and how long it was (bytes). */
  readonly heard?: ((headers: http.IncomingHttpHeaders, bytes: number) => void) | undefined;
}

/** Raw HTTP to one apiserver: connections are kept, so that an urgent write needs no handshake. */
export interface Rest {
  /** The parsed JSON answer. Throws ClusterFailure, or the signal's reason when the caller aborted. */
  call(call: Call): Promise<unknown>;
  /** The answer line by line, for watches. Ends when the server ends it; silence for `idleMs` counts as a broken connection. */
  lines(call: Call, options: { readonly idleMs: number; readonly opened?: (() => void) | undefined }): AsyncGenerator<string>;
  close(): void;
}

/** Credentials are read again after this long: service account tokens rotate. */
const CREDENTIALS_MS = 30_000;

/**
 * client-node builds TLS and credentials; the requests are our own, because it sends only `Impersonate-User`, and a
 * comma-joined `Impersonate-Group` would be one strange group: the apiserver wants one header per group.
 */
export function createRest(config: KubeConfig, now: () => number = Date.now): Rest {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('The kubeconfig has no current cluster. Choose a context that exists.');
  const server = new URL(cluster.server);
  const [transport, Agent] = server.protocol === 'http:' ? [http, http.Agent] : [https, PacedAgent];
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: 10_000, scheduling: 'lifo', maxFreeSockets: 32 });
  let credentials: { readonly at: number; readonly options: https.RequestOptions } | undefined;

  const authenticated = async (): Promise<https.RequestOptions> => {
    if (credentials && now() - credentials.at < CREDENTIALS_MS) return credentials.options;
    const options: https.RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(options);
    credentials = { at: now(), options };
    return options;
  };

  const open = async (call: Call): Promise<http.IncomingMessage> => {
    const base = await authenticated();
    const deadline = AbortSignal.timeout(call.deadlineMs);
    const options = requestOptions(call, base, server);
    try {
      return await send(transport, { ...options, agent }, call, AbortSignal.any([call.signal, deadline]));
    } catch (error) {
      call.signal.throwIfAborted();
      if (deadline.aborted) {
        throw new ClusterFailure('Timeout', `the Kubernetes API did not answer within ${Math.round(call.deadlineMs)} ms`, { cause: error });
      }
      throw new ClusterFailure('Unreachable', `the Kubernetes API cannot be reached: ${messageOf(error)}`, { cause: error });
    }
  };

  return {
    async call(call) {
      const until = now() + call.deadlineMs;
      for (;;) {
        const response = await open({ ...call, deadlineMs: Math.max(1, until - now()) });
        const { body, bytes } = await readAll(response, call);
        call.heard?.(response.headers, bytes);
        const status = response.statusCode ?? 0;
        if (status === 401) credentials = undefined;
        // 429: nothing was done, and the server says when to ask again (Retry-After, seconds).
        const wait = Number(response.headers['retry-after'] ?? 1) * 1_000;
        if (status === 429 && now() + wait < until) {
          await sleep(wait, undefined, { signal: call.signal });
          continue;
        }
        if (status < 200 || status > 299) throw failureOf(status, body);
        return body;
      }
    },
    async *lines(call, { idleMs, opened }) {
      const response = await open(call);
      const status = response.statusCode ?? 0;
      if (status !== 200) throw failureOf(status, (await readAll(response, call)).body);
      opened?.();
      yield* linesOf(response, call.signal, idleMs);
    },
    close: () => agent.destroy(),
  };
}

function requestOptions(call: Call, base: https.RequestOptions, server: URL): https.RequestOptions {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(key, value);
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, auth } = base;
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, auth }).filter(([, value]) => value !== undefined),
  );
  const search = query.toString();
  return {
    ...tls,
    host: server.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: server.port || (server.protocol === 'http:' ? 80 : 443),
    method: call.method,
    path: `${server.pathname.replace(/\/$/, '')}${call.path}${search ? `?${search}` : ''}`,
    headers: {
      ...(base.headers as http.OutgoingHttpHeaders),
      accept: 'application/json',
      // node states no length for a DELETE by itself, and the server would read its body as the next request.
      ...(call.body !== undefined && {
        'content-type': call.contentType ?? 'application/json',
        'content-length': Buffer.byteLength(JSON.stringify(call.body)),
      }),
      // node writes an array as one header line per value.
      ...(call.as && { 'impersonate-user': call.as.user, 'impersonate-group': [...call.as.groups] }),
    },
  };
}

type Transport = typeof http | typeof https;

/** A kept connection that the server has just closed fails before it was read: such a request is sent once more. */
async function send(transport: Transport, options: https.RequestOptions, call: Call, signal: AbortSignal): Promise<http.IncomingMessage> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const request = transport.request({ ...options, signal: call.signal }, resolve);
    const giveUp = (): void => void request.destroy(new Error('deadline'));
    signal.addEventListener('abort', giveUp, { once: true });
    request.on('error', reject);
    request.end(call.body === undefined ? undefined : JSON.stringify(call.body));
    try {
      return await promise;
    } catch (error) {
      const stale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (!stale || attempt > 3) throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
}

/** Of this size on an answer takes some milliseconds to parse. */
const LARGE_BYTES = 64 * 1_024;
let turn: Promise<void> = Promise.resolve();

/** Large answers that are there at once are taken one in each turn of the event loop: fuses fire on the same thread. */
function nextTurn(): Promise<void> {
  turn = turn.then(() => breathe());
  return turn;
}

async function readAll(response: http.IncomingMessage, call: Call): Promise<{ readonly body: unknown; readonly bytes: number }> {
  const timer = setTimeout(() => response.destroy(new Error('the answer did not end in time')), call.deadlineMs);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const whole = Buffer.concat(chunks);
    if (whole.length > LARGE_BYTES) await nextTurn();
    const text = whole.toString('utf8');
    const isJson = text !== '' && (response.headers['content-type'] ?? '').includes('json');
    return { body: isJson ? (JSON.parse(text) as unknown) : text, bytes: whole.length };
  } catch (error) {
    call.signal.throwIfAborted();
    throw new ClusterFailure('Unreachable', `the answer of the Kubernetes API broke off: ${messageOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function* linesOf(response: http.IncomingMessage, signal: AbortSignal, idleMs: number): AsyncGenerator<string> {
  let rest = '';
  response.setEncoding('utf8');
  response.setTimeout(idleMs, () => response.destroy(new Error(`silent for ${idleMs} ms`)));
  try {
    for await (const chunk of response) {
      const parts = (rest + String(chunk)).split('\n');
      rest = parts.pop() ?? '';
      yield* parts.filter((part) => part !== '');
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new ClusterFailure('Unreachable', `the watch broke off: ${messageOf(error)}`, { cause: error });
  } finally {
    response.destroy();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
