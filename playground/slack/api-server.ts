// The server the app talks to: Web API, response URLs, uploads, file downloads, Socket Mode. Apart from the page's server,
// so that Slack can go down while the page stays.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { answerResponseUrl } from './answers.ts';
import type { Core } from './core.ts';
import { maxFileBytes, mimetypeOf } from './files.ts';
import { parseArgs, readBody, sendJson, uploadedBytes } from './http-body.ts';
import type { SocketHub } from './sockets.ts';
import { callApi } from './web-api.ts';

const maxBody = 2 * 1024 * 1024;

function bearer(request: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
}

async function api(core: Core, method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = core.now();
  const query = Object.fromEntries(new URL(request.url ?? '/', 'http://slack').searchParams);
  const args = parseArgs(request.headers['content-type'] ?? '', await readBody(request, maxBody));
  if (!args) return sendJson(response, 200, { ok: false, error: 'invalid_json' });
  const token = bearer(request) ?? (typeof args['token'] === 'string' ? args['token'] : undefined);
  const answer = callApi(core, { method, token, args: { ...query, ...args } }, startedAt);
  if (answer.cut) request.socket.destroy();
  else sendJson(response, answer.status, answer.body, answer.headers);
}

async function upload(core: Core, key: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = await uploadedBytes(request.headers['content-type'] ?? '', await readBody(request, maxFileBytes + 65_536));
  const taken = core.files.upload(key, bytes);
  response.writeHead(taken ? 200 : 400, { 'content-type': 'text/plain' });
  response.end(taken ? `OK - ${bytes.length}` : 'upload refused: unknown or used URL, or not the announced length');
}

function download(core: Core, id: string, request: IncomingMessage, response: ServerResponse): void {
  const file = core.files.find(id);
  const allowed = bearer(request) === core.app.botToken;
  response.writeHead(!allowed ? 403 : file?.data ? 200 : 404, { 'content-type': file ? mimetypeOf(file.name) : 'text/plain' });
  response.end(allowed ? file?.data : undefined);
}

async function route(core: Core, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { slowMs, down } = core.faults.state;
  if (slowMs > 0) await delay(slowMs, undefined, { ref: false });
  const [, area, ...rest] = new URL(request.url ?? '/', 'http://slack').pathname.split('/');
  const name = rest.at(-1) ?? '';
  if (down === '500') return sendJson(response, 500, { ok: false, error: 'internal_error' });
  if (area === 'api' && rest.length === 1) return api(core, name, request, response);
  if (area === 'response' && request.method === 'POST') {
    const startedAt = core.now();
    const body = parseArgs('application/json', await readBody(request, maxBody));
    const answer = answerResponseUrl(core, name, body, startedAt);
    return sendJson(response, answer.status, answer.body);
  }
  if (area === 'upload' && request.method === 'POST') return upload(core, name, request, response);
  if (area === 'files') return download(core, rest[0] ?? '', request, response);
  sendJson(response, 404, { ok: false, error: 'not_found' });
}

/** Listens on 127.0.0.1 only. `socketPath` requests are handed to the hub. */
export function createApiServer(core: Core, hub: SocketHub): Server {
  const server = createServer((request, response) => {
    route(core, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { ok: false, error: 'fatal_error', detail: String(error) });
    });
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (core.faults.state.down) socket.destroy();
    else hub.upgrade(request, socket, head);
  });
  return server;
}
