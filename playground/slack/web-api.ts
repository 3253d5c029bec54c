// One call of the Web API: token, scope, rate, method, answer, log.
import { Args } from './args.ts';
import type { Core } from './core.ts';
import type { Json } from './messages.ts';
import { chatMethods } from './methods/chat.ts';
import { conversationMethods } from './methods/conversations.ts';
import type { Method, Methods } from './methods/method.ts';
import { modalMethods } from './methods/modals.ts';
import { otherMethods } from './methods/others.ts';
import { peopleMethods } from './methods/people.ts';
import { uploadMethods } from './methods/uploads.ts';
import { SlackRefusal } from './refusal.ts';

const methods: Methods = { ...chatMethods, ...conversationMethods, ...modalMethods, ...otherMethods, ...peopleMethods, ...uploadMethods };

export interface ApiRequest {
  readonly method: string;
  /** From the Authorization header or the `token` argument. */
  readonly token: string | undefined;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
  /** The connection is to be cut instead of answering: the fault after a stored post. */
  readonly cut?: boolean;
}

function checkToken(core: Core, method: Method, token: string | undefined): void {
  const wanted = method.token ?? 'bot';
  if (wanted === 'none') return;
  if (!token) throw new SlackRefusal('not_authed');
  const known = [core.app.botToken, core.app.appToken].filter((one) => one !== undefined);
  if (!known.includes(token)) throw new SlackRefusal('invalid_auth');
  const right = wanted === 'app' ? core.app.appToken : core.app.botToken;
  if (token !== right) throw new SlackRefusal('not_allowed_token_type');
}

function run(core: Core, request: ApiRequest, args: Args): Json {
  const method = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
  if (!method) throw new SlackRefusal('unknown_method');
  const { rateLimited } = core.faults.state;
  if (rateLimited && (rateLimited.methods.length === 0 || rateLimited.methods.includes(request.method))) {
    throw new SlackRefusal('ratelimited', { retryAfter: rateLimited.retryAfter });
  }
  checkToken(core, method, request.token);
  core.rate.call(request.method, method.tier);
  const missing = method.scope && method.token !== 'app' && core.app.scopes && !core.app.scopes.includes(method.scope);
  if (missing) throw new SlackRefusal('missing_scope', { messages: [`needed: ${method.scope}`] });
  return method.run(core, args);
}

function refused(refusal: SlackRefusal): ApiAnswer {
  const { code, messages, retryAfter } = refusal;
  const details = messages.length > 0 ? { response_metadata: { messages } } : {};
  const errors = code === 'invalid_blocks' ? { errors: messages.map((message) => message.replace('[ERROR] ', '')) } : {};
  return {
    status: retryAfter === undefined ? 200 : 429,
    headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
    body: { ok: false, error: code, ...errors, ...details },
  };
}

/** Performs one call and logs it. Never throws for what the app did wrong: that is Slack's `ok: false`. */
export function callApi(core: Core, request: ApiRequest, startedAt: number): ApiAnswer {
  const args = new Args(request.args);
  const log = (ok: boolean, refusal?: string): void =>
    core.log.add({
      direction: 'in',
      method: request.method,
      ok,
      ms: core.now() - startedAt,
      summary: args.summary(),
      ...(refusal ? { refusal } : {}),
    });
  try {
    const body = run(core, request, args);
    const cut = request.method === 'chat.postMessage' && core.faults.strikes('dropAfterPost');
    log(!cut, cut ? 'fault: connection dropped after the post was stored' : undefined);
    return { status: 200, headers: {}, body: { ok: true, ...body }, cut };
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    log(false, error.message);
    return refused(error);
  }
}
