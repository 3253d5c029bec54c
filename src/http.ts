// Two ports: Slack's requests and what Kubernetes asks for on one, what Prometheus asks for on another, so that no ingress shows it.
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One thing that must be well before traffic comes. */
export interface ReadyCheck {
  readonly name: string;
  readonly isReady: () => Promise<boolean> | boolean;
}

interface HttpParts {
  readonly port: number;
  readonly metricsPort: number;
  /** All addresses when left out. */
  readonly host?: string;
  readonly ready: readonly ReadyCheck[];
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  /** Everything else goes there; 404 when left out. */
  readonly slack?: RequestListener | undefined;
}

export interface HttpServer {
  readonly port: number;
  readonly metricsPort: number;
  /** Says "not ready" from now on, so that nobody sends more. */
  retire(): void;
  /** Resolves when the last request is answered. */
  close(): Promise<void>;
}

const CHECK_MS = 2_500;
/** Whoever asks: the database and Temporal are asked once in this time. */
const READY_KEPT_MS = 1_000;
/** Node looks for requests that take too long every 30 s unless it is told otherwise: until then they may hold their connections. */
const LOOK_FOR_SLOW_MS = 1_000;

/** Listens and resolves when the port is open. */
export async function serveHttp(parts: HttpParts): Promise<HttpServer> {
  let retired = false;
  const ready = readiness(parts.ready);
  const server = createServer({ connectionsCheckingInterval: LOOK_FOR_SLOW_MS }, (request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method === 'GET' && path === '/healthz') return answer(response, 200, 'ok');
    if (request.method === 'GET' && path === '/readyz')
      return void ready().then((missing) => sayReady(response, retired ? ['stopping', ...missing] : missing));
    if (parts.slack) return parts.slack(request, response);
    return answer(response, 404, 'not found');
  });
  const measured = createServer({ connectionsCheckingInterval: LOOK_FOR_SLOW_MS }, (request, response) => {
    const isMetrics = request.method === 'GET' && request.url?.split('?')[0] === '/metrics';
    return isMetrics ? void metrics(parts, response) : answer(response, 404, 'not found');
  });
  const [port, metricsPort] = [await open(server, parts.port, parts.host), await open(measured, parts.metricsPort, parts.host)];
  const close = async (): Promise<void> => void (await Promise.all([server, measured].map(closeServer)));
  return { port, metricsPort, retire: () => void (retired = true), close };
}

function open(server: Server, port: number, host?: string): Promise<number> {
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  return listen(server, port, host);
}

/** What is not well, asked now or a moment ago: anybody may ask, and nobody shall keep the database and Temporal busy by it. */
function readiness(checks: readonly ReadyCheck[]): () => Promise<readonly string[]> {
  let known: { readonly at: number; readonly missing: Promise<readonly string[]> } | undefined;
  return () => {
    const at = performance.now();
    if (!known || at - known.at >= READY_KEPT_MS) known = { at, missing: missingOf(checks) };
    return known.missing;
  };
}

async function missingOf(checks: readonly ReadyCheck[]): Promise<readonly string[]> {
  const found = await Promise.all(
    checks.map(async (check) => {
      const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), CHECK_MS).unref());
      const isWell = await Promise.race([(async () => check.isReady())().catch(() => false), late]);
      return isWell ? [] : [check.name];
    }),
  );
  return found.flat();
}

function sayReady(response: ServerResponse, missing: readonly string[]): void {
  if (missing.length === 0) answer(response, 200, 'ready');
  else answer(response, 503, `not ready: ${missing.toSorted().join(', ')}`);
}

async function metrics(parts: HttpParts, response: ServerResponse): Promise<void> {
  try {
    answer(response, 200, await parts.metrics(), parts.contentType);
  } catch (error) {
    answer(response, 500, error instanceof Error ? error.message : 'metrics failed');
  }
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type }).end(text);
}

function listen(server: Server, port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host ? { host } : {}) }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
  });
}
