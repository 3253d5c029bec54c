// Sends hostile requests to a door, many at the same time, and looks at every answer.
import { Agent, request } from 'node:http';
import type { Hostile } from './payloads.ts';
import { unescaped } from './texts.ts';

export interface Attack {
  readonly sent: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  /** What must not be: an answer of the kind 5xx, none, or one that says a foreign text as it came. At most 20. */
  readonly offences: readonly string[];
  readonly slowestMs: number;
  readonly tookMs: number;
}

/** An answer that takes longer is none. Slack gives up after three seconds; a machine that does much else is late, not wrong. */
const LONGEST_MS = 60_000;
const MOST_OFFENCES = 20;
/** A little less than the least time after which the server closes a connection of whose request nothing came (src/http.ts). */
const DOOR_GIVES_UP_MS = 4_500;
/** Refused, taken, not understood, or (on a machine that does much else) too slow in coming: no other answer is expected of a door. */
const EXPECTED = new Set([200, 400, 401, 404, 405, 408, 413]);

export async function attack(
  url: URL,
  next: () => Hostile,
  options: { readonly count: number; readonly atOnce?: number; readonly signal?: AbortSignal; readonly each?: (sent: number) => void },
): Promise<Attack> {
  const { count, atOnce = 64, signal, each } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const [byKind, statuses]: [Record<string, number>, Record<string, number>] = [{}, {}];
  const offences: string[] = [];
  let [sent, slowestMs] = [0, 0];
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (sent < count && !signal?.aborted) {
      sent += 1;
      each?.(sent);
      const one = next();
      const at = performance.now();
      const answer = await send(agent, url, one);
      const ms = performance.now() - at;
      slowestMs = Math.max(slowestMs, ms);
      byKind[one.kind] = (byKind[one.kind] ?? 0) + 1;
      // The door's own limit for what comes too slowly: on a machine that does much else, that is anything.
      const isLate = answer.status === 0 && ms >= DOOR_GIVES_UP_MS;
      const status = isLate ? 'closed as too slow' : String(answer.status);
      statuses[status] = (statuses[status] ?? 0) + 1;
      const found = isLate ? undefined : offenceOf(one, answer);
      if (found && offences.length < MOST_OFFENCES)
        offences.push(`${one.kind}: ${found}; sent ${one.method} ${one.path} ${one.body.toString('utf8').slice(0, 500)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  agent.destroy();
  return { sent, byKind, statuses, offences, slowestMs: Math.round(slowestMs), tookMs: Math.round(performance.now() - began) };
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

function offenceOf({ kind }: Hostile, { status, text }: Answered): string | undefined {
  if (!EXPECTED.has(status)) return `answered with ${status} ${text.slice(0, 200)}`;
  // A challenge is Slack's own, and goes back as it came.
  const shown = kind === 'events' ? undefined : unescaped(text);
  return shown && `said as it came: ${shown}`;
}

function send(agent: Agent, url: URL, one: Hostile): Promise<Answered> {
  const { method, path, headers, body } = one;
  return new Promise((resolve) => {
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({
      agent,
      host: url.hostname,
      port: url.port,
      method,
      path,
      headers: { ...headers, ...length },
      timeout: LONGEST_MS,
    });
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', (error) => resolve({ status: response.statusCode ?? 0, text: error.message }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${LONGEST_MS} ms`)));
    // A door that has refused a large body closes: what was answered before counts.
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // A connection that was kept open may be closed by the other side at the moment in which it is used again.
      if (sent.reusedSocket && error.code === 'ECONNRESET') return resolve(send(agent, url, one));
      resolve({
        status: Buffer.byteLength(body) > 1_000_000 && ['EPIPE', 'ECONNRESET'].includes(error.code ?? '') ? 413 : 0,
        text: error.message,
      });
    });
    sent.end(body);
  });
}
