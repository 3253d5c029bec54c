// The Web API as the activities use it: one try, a deadline, and three kinds of bad news. All casts of Slack's answers are here.
import type { KnownBlock, MessageMetadata } from '@slack/types';
import { LogLevel, WebAPIPlatformError, WebAPIRateLimitedError, WebClient } from '@slack/web-api';
import { wayOut } from '../net/proxy.ts';

/** Slack asks to wait. Nothing was done. */
export class SlackRateLimited extends Error {
  override readonly name = 'SlackRateLimited' as const;
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super(`Slack asks to wait ${Math.ceil(retryAfterMs / 1000)} s before the next call`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Slack said no, for a reason that the same call will meet again. Nothing was done. */
export class SlackRefused extends Error {
  override readonly name = 'SlackRefused' as const;
  readonly code: string;
  constructor(method: string, code: string, details: readonly string[]) {
    super(`Slack refused ${method}: ${[code, ...details].join('; ').slice(0, 1_000)}`);
    this.code = code;
  }
}

/** No answer, or one that says nothing: the call may or may not have been done. */
export class SlackUnclear extends Error {
  override readonly name = 'SlackUnclear' as const;
}

export interface SlackText {
  readonly text: string;
  readonly blocks: KnownBlock[];
  readonly metadata?: MessageMetadata;
  /** A reply that the channel sees as well. */
  readonly reply_broadcast?: boolean;
}

/** A stored message, as far as a look-up needs it. */
export interface StoredMessage {
  readonly ts: string;
  readonly event?: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> };
  readonly files: readonly string[];
  readonly text?: string;
  readonly blocks?: readonly KnownBlock[];
}

export interface SlackFile {
  readonly channelId: string;
  readonly threadTs: string;
  readonly name: string;
  readonly title: string;
  readonly altText: string;
  readonly comment: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Every method rejects with SlackRateLimited, SlackRefused or SlackUnclear. */
export interface SlackMessages {
  /** Returns the message's ts. Not idempotent: after SlackUnclear look for the metadata first. */
  post(channelId: string, message: SlackText, threadTs?: string): Promise<string>;
  update(channelId: string, ts: string, message: SlackText): Promise<void>;
  /** The message as it is now, or undefined when there is none. Roots of threads only. */
  read(channelId: string, ts: string): Promise<StoredMessage | undefined>;
  /** Our own messages since `oldest` (seconds), newest pages first; of one thread when `threadTs` is given. Of at most 1,000. */
  stored(channelId: string, where: { readonly oldest: number; readonly threadTs?: string }): AsyncIterable<StoredMessage>;
  upload(file: SlackFile): Promise<void>;
}

interface SlackClientOptions {
  readonly token: string;
  /** Another Web API than Slack's own, with a trailing slash. */
  readonly apiUrl?: string;
  /** Deadline of one call in milliseconds. */
  readonly deadlineMs?: number;
}

const PAGE = 200;
const PAGES = 5;

/** Codes that say nothing about whether the call was done; everything else is a refusal (docs.slack.dev, errors of chat.postMessage). */
const UNCLEAR = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout']);

/**
 * A client that never repeats a call by itself: the default client posts twice when a connection is lost after
 * Slack stored the message, and sleeps through a 429 that Temporal could wait out without holding a worker.
 */
export function createSlackMessages(options: SlackClientOptions): SlackMessages {
  const deadlineMs = options.deadlineMs ?? 5_000;
  const client = new WebClient(options.token, {
    fetch: wayOut().fetch,
    ...(options.apiUrl ? { slackApiUrl: options.apiUrl } : {}),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: deadlineMs,
    allowAbsoluteUrls: false,
    // What goes wrong is told by the errors; the library would write it to the console as well.
    logLevel: LogLevel.ERROR,
  });
  const ourselves = once(() => translated('auth.test', () => client.apiCall('auth.test') as Promise<Ourselves>));
  return {
    async post(channelId, message, threadTs) {
      const thread = threadTs === undefined ? {} : { thread_ts: threadTs };
      const args = { channel: channelId, ...message, ...thread, unfurl_links: false, unfurl_media: false };
      const { ts } = await translated('chat.postMessage', () => client.apiCall('chat.postMessage', args) as Promise<{ ts?: string }>);
      if (ts === undefined) throw new SlackUnclear('Slack answered chat.postMessage without a ts');
      return ts;
    },
    async update(channelId, ts, message) {
      await translated('chat.update', () => client.apiCall('chat.update', { channel: channelId, ts, ...message }));
    },
    async read(channel, ts) {
      const args = { channel, latest: ts, oldest: ts, inclusive: true, limit: 1, include_all_metadata: true };
      const { messages } = await translated(
        'conversations.history',
        () => client.apiCall('conversations.history', args) as Promise<HistoryAnswer>,
      );
      const [message] = messages ?? [];
      return message?.ts === ts ? storedMessage(message) : undefined;
    },
    stored: (channelId, where) => pages(client, ourselves, channelId, where),
    async upload(file) {
      const reserved = await translated('files.getUploadURLExternal', () => reserve(client, file));
      await translated('the upload', () => send(reserved.uploadUrl, file.bytes, deadlineMs * 2));
      const args = {
        files: [{ id: reserved.id, title: file.title }],
        channel_id: file.channelId,
        thread_ts: file.threadTs,
        initial_comment: file.comment,
      };
      await translated('files.completeUploadExternal', () => client.apiCall('files.completeUploadExternal', args));
    },
  };
}

interface Ourselves {
  readonly bot_id?: string;
  readonly user_id?: string;
}

/** Any app in a channel may write metadata like ours: what tells our messages is whose they are. A file is posted by our user. */
function isOurs({ bot_id: botId, user }: WireMessage, us: Ourselves): boolean {
  return botId === undefined ? user !== undefined && user === us.user_id : botId === us.bot_id;
}

/** Asks once; what failed is asked again. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  return () => {
    known ??= ask().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

async function* pages(
  client: WebClient,
  ourselves: () => Promise<Ourselves>,
  channel: string,
  where: { readonly oldest: number; readonly threadTs?: string },
): AsyncIterable<StoredMessage> {
  const method = where.threadTs === undefined ? 'conversations.history' : 'conversations.replies';
  const us = await ourselves();
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const args = {
      channel,
      oldest: where.oldest.toFixed(6),
      limit: PAGE,
      include_all_metadata: true,
      ...(where.threadTs === undefined ? {} : { ts: where.threadTs }),
      ...(cursor ? { cursor } : {}),
    };
    const answer = await translated(method, () => client.apiCall(method, args) as Promise<HistoryAnswer>);
    for (const message of answer.messages ?? []) if (isOurs(message, us)) yield storedMessage(message);
    cursor = answer.response_metadata?.next_cursor;
    if (!cursor) return;
  }
}

interface HistoryAnswer {
  readonly messages?: readonly WireMessage[];
  readonly response_metadata?: { readonly next_cursor?: string };
}
interface WireMessage {
  readonly ts: string;
  readonly bot_id?: string;
  readonly user?: string;
  readonly text?: string;
  /** Those that we have sent ourselves, as Slack stores them. */
  readonly blocks?: readonly KnownBlock[];
  readonly metadata?: { readonly event_type?: string; readonly event_payload?: Readonly<Record<string, unknown>> };
  readonly files?: readonly { readonly name?: string }[];
}

function storedMessage(message: WireMessage): StoredMessage {
  const { event_type: type, event_payload: payload } = message.metadata ?? {};
  return {
    ts: message.ts,
    ...(type === undefined ? {} : { event: { type, payload: payload ?? {} } }),
    files: (message.files ?? []).flatMap((file) => (file.name === undefined ? [] : [file.name])),
    ...(message.text !== undefined && { text: message.text }),
    ...(message.blocks && { blocks: message.blocks }),
  };
}

async function reserve(client: WebClient, file: SlackFile): Promise<{ readonly id: string; readonly uploadUrl: string }> {
  // The method's own name for it is alt_txt (at most 1,000 characters); the typed wrapper's alt_text is not what Slack documents.
  const args = { filename: file.name, length: file.bytes.byteLength, alt_txt: file.altText.slice(0, 1_000) };
  const answer = (await client.apiCall('files.getUploadURLExternal', args)) as { readonly file_id?: string; readonly upload_url?: string };
  if (!answer.file_id || !answer.upload_url) throw new SlackUnclear('Slack reserved no place for the file');
  return { id: answer.file_id, uploadUrl: answer.upload_url };
}

async function send(url: string, body: Uint8Array<ArrayBuffer>, deadlineMs: number): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await wayOut().fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(deadlineMs) });
  await response.arrayBuffer();
  if (response.status === 429) throw new SlackRateLimited(Number(response.headers.get('retry-after') ?? 1) * 1000);
  if (!response.ok) throw new SlackUnclear(`Slack answered the upload with HTTP ${response.status}`);
}

async function translated<T>(method: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw errorOf(method, error);
  }
}

function errorOf(method: string, error: unknown): Error {
  if (error instanceof SlackRateLimited || error instanceof SlackUnclear) return error;
  if (error instanceof WebAPIRateLimitedError) return new SlackRateLimited(error.retryAfter * 1000);
  if (error instanceof WebAPIPlatformError) {
    const code = error.data.error;
    if (code === 'ratelimited') return new SlackRateLimited(1_000);
    if (!UNCLEAR.has(code)) return new SlackRefused(method, code, error.data.response_metadata?.messages ?? []);
  }
  return new SlackUnclear(`${method} had no clear answer: ${error instanceof Error ? error.message : String(error)}`);
}
