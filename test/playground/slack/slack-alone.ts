// A playground without Bolt: calls by hand, a listener that answers as told, a clock that stands still.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Limits } from '../../../playground/slack/limits.ts';
import { type SlackPlayground, startSlack } from '../../../playground/slack/slack.ts';

export interface Answer {
  readonly ok: boolean;
  readonly error?: string;
  readonly ts?: string;
  readonly response_metadata?: { readonly messages?: readonly string[] };
  readonly [field: string]: unknown;
}

export interface Heard {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** Form fields, with `payload` parsed. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Alone {
  readonly slack: SlackPlayground;
  readonly heard: Heard[];
  /** Milliseconds that the clock stands ahead. */
  clock: number;
  /** How the app answers; undefined keeps silent. */
  reply: (heard: Heard) => { status: number; body?: unknown } | undefined;
  call(method: string, args?: Readonly<Record<string, unknown>>, token?: string): Promise<Answer>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function alone(
  limits: Partial<Limits> = {},
  app: { shouldEscape?: boolean; scopes?: readonly string[] } = {},
): Promise<Alone> {
  const ending = new AbortController();
  const start = Date.now();
  const heard: Heard[] = [];
  const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const form = Object.fromEntries(new URLSearchParams(body));
    const fields: Record<string, unknown> = body.startsWith('{') ? JSON.parse(body) : form['payload'] ? JSON.parse(form['payload']) : form;
    const one = { headers: request.headers, body, fields };
    heard.push(one);
    const answer = self.reply(one);
    if (answer)
      response
        .writeHead(answer.status, { 'content-type': 'application/json' })
        .end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  };
  const server = createServer((request, response) => {
    hear(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const slack = await startSlack({
    signal: ending.signal,
    now: () => start + self.clock,
    limits: { postBurst: 1000, postPerSecond: 1000, ...limits },
    app: {
      signingSecret: 'secret',
      botToken: 'xoxb-1',
      appToken: 'xapp-1',
      requestUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      slashCommands: [
        { command: '/mesh', description: '', usage: '', ...(app.shouldEscape === undefined ? {} : { shouldEscape: app.shouldEscape }) },
      ],
      ...(app.scopes ? { scopes: app.scopes } : {}),
    },
  });
  const self: Alone = {
    slack,
    heard,
    clock: 0,
    reply: () => ({ status: 200 }),
    call: async (method, args = {}, token = 'xoxb-1') => {
      const headers = { 'content-type': 'application/json; charset=utf-8', ...(token ? { authorization: `Bearer ${token}` } : {}) };
      const response = await fetch(`${slack.apiUrl}${method}`, { method: 'POST', headers, body: JSON.stringify(args) });
      return (await response.json()) as Answer;
    },
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await slack.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return self;
}
