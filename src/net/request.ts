// One HTTP request: through HTTPS_PROXY or HTTP_PROXY unless NO_PROXY names the host, with a CA of one's own, a deadline, and a bound on the answer.
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface Request {
  readonly url: string | URL;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Connections of one's own; left out: one for this request alone, through the proxy of the environment. */
  readonly agent?: HttpAgent | HttpsAgent;
  /** PEM of whoever may have signed the server's certificate; the usual ones when left out. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  readonly mostBytes?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The server's answer was longer than it may be. */
class TooLong extends Error {
  override name = 'TooLong' as const;
}

const MOST_BYTES = 16 * 1024 * 1024;
const ONE_REQUEST = { keepAlive: false, proxyEnv: process.env } as const;
const plain = new HttpAgent(ONE_REQUEST);
const secure = new Map<string, HttpsAgent>();

/** Agents by CA: whoever has a CA of their own has few. */
function agentFor(protocol: string, ca?: string): HttpAgent | HttpsAgent {
  if (protocol !== 'https:') return plain;
  const known = secure.get(ca ?? '');
  if (known) return known;
  const agent = new HttpsAgent({ ...ONE_REQUEST, ...(ca !== undefined && { ca }) });
  // A CA that was renewed leaves its agent behind; it holds no connection.
  if (secure.size > 20) secure.clear();
  secure.set(ca ?? '', agent);
  return agent;
}

/** Sends one request and reads the whole answer. Follows no redirect: a token must not travel to another host. */
export function send({ url, method = 'GET', headers = {}, body, agent, ca, signal, mostBytes = MOST_BYTES }: Request): Promise<Answer> {
  const to = new URL(url);
  const ask = to.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = ask(to, { method, headers, agent: agent ?? agentFor(to.protocol, ca), signal }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > mostBytes) response.destroy(new TooLong(`${to.host} sends more than ${Math.round(mostBytes / 1024 / 1024)} MiB`));
        else chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
