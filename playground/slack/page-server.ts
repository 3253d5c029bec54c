// The page's own server: static files, a live stream, and acting as a person. It can act as anybody, so it listens to nobody
// but its own page: Host must be the loopback address (DNS rebinding) and Origin, when sent, must be the page itself.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import type { Core } from './core.ts';
import type { Drive } from './drive.ts';
import { mimetypeOf } from './files.ts';
import { readBody, sendJson } from './http-body.ts';
import { performAct } from './page-acts.ts';
import { streamTo } from './page-stream.ts';
import type { Panel } from './panel.ts';
import { RateHistory } from './rate-history.ts';
import { SlackRefusal } from './refusal.ts';

export interface PageParts {
  readonly core: Core;
  readonly drive: Drive;
  readonly signal: AbortSignal;
  readonly panel?: Panel;
}

interface StreamParts extends PageParts {
  readonly history: RateHistory;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const policy =
  "default-src 'self'; img-src 'self' data: https: http://127.0.0.1:*; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";
const folder = new URL('./page/', import.meta.url);

function isOwn(request: IncomingMessage, server: Server): boolean {
  const { port } = server.address() as AddressInfo;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host, origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (!hosts.includes(host ?? '') || site === 'cross-site') return false;
  return origin === undefined || hosts.some((one) => origin === `http://${one}`);
}

async function staticFile(path: string, response: ServerResponse): Promise<void> {
  const name = path === '/' ? 'index.html' : path.slice(1);
  const type = types[extname(name)];
  if (!type || !/^[\w-]+\.\w+$/.test(name)) return sendJson(response, 404, { error: 'not found' });
  try {
    const body = await readFile(new URL(name, folder));
    response.writeHead(200, {
      'content-type': type,
      'cache-control': 'no-cache',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
    });
    response.end(body);
  } catch {
    sendJson(response, 404, { error: 'not found' });
  }
}

function uploadedFile(core: Core, id: string, response: ServerResponse): void {
  const file = core.files.find(id);
  if (!file?.data) return sendJson(response, 404, { error: 'not found' });
  const type = mimetypeOf(file.name);
  const shown = type.startsWith('image/') ? type : 'text/plain; charset=utf-8';
  response.writeHead(200, { 'content-type': shown, 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' });
  response.end(file.data);
}

async function act(parts: PageParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) return sendJson(response, 415, { error: 'JSON only' });
  const wanted: unknown = JSON.parse((await readBody(request, 12 * 1024 * 1024)).toString('utf8'));
  sendJson(response, 200, (await performAct(parts, wanted)) ?? {});
}

async function route(parts: StreamParts, server: Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isOwn(request, server)) return sendJson(response, 403, { error: 'Only the page itself may ask. Open it as http://127.0.0.1.' });
  const url = new URL(request.url ?? '/', 'http://page');
  const post = request.method === 'POST';
  if (post && url.pathname === '/page/act') return act(parts, request, response);
  if (post) return sendJson(response, 404, { error: 'not found' });
  if (url.pathname === '/page/stream') return streamTo(parts, parts.history, url.searchParams.get('as') ?? '', response);
  if (url.pathname.startsWith('/page/files/')) return uploadedFile(parts.core, url.pathname.split('/')[3] ?? '', response);
  await staticFile(url.pathname, response);
}

/** The server of the page; it ends with the signal's owner closing it. */
export function createPageServer(page: PageParts): Server {
  const parts = { ...page, history: new RateHistory(page.panel, page.core.now, page.signal) };
  const server = createServer((request, response) => {
    route(parts, server, request, response).catch((error: unknown) => {
      const reason = error instanceof SlackRefusal ? error.code : error instanceof Error ? error.message : String(error);
      if (response.headersSent) response.destroy();
      else sendJson(response, 400, { error: reason });
    });
  });
  return server;
}
