import { MAX_POLICY_BYTES } from '../../../documents/read.ts';
import { wayOut } from '../../../net/proxy.ts';

/** A file as a Slack event describes it. */
export interface AttachedFile {
  readonly name: string;
  readonly url: string;
  readonly size?: number;
}

export type Downloaded = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'refused'; readonly words: string };

interface DownloadOptions {
  readonly botToken: string;
  /** Hosts (with their port) that the token may be sent to: Slack's file host, or a playground's. */
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly deadlineMs?: number;
}

/** Where Slack serves private files from. */
export const SLACK_FILE_HOST = 'files.slack.com';

/**
 * The text of a file that somebody attached. The bot's token goes with the request, so the address is checked first and redirects are
 * not followed; never more than 256 KiB are taken.
 */
export async function downloadText(file: AttachedFile, options: DownloadOptions): Promise<Downloaded> {
  const refused = (words: string): Downloaded => ({ kind: 'refused', words });
  const { hosts, botToken, deadlineMs = 8_000 } = options;
  const url = URL.canParse(file.url) ? new URL(file.url) : undefined;
  const known = url && hosts.includes(url.host);
  if (!url || !known || url.username !== '' || (url.host === SLACK_FILE_HOST && url.protocol !== 'https:')) {
    return refused('it is not stored in Slack.');
  }
  if ((file.size ?? 0) > MAX_POLICY_BYTES) return refused(tooLarge(file.size ?? 0));
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(deadlineMs)]);
  try {
    const response = await wayOut().fetch(url, { headers: { authorization: `Bearer ${botToken}` }, redirect: 'manual', signal });
    if (response.status !== 200 || !response.body) {
      await response.body?.cancel();
      return refused(`Slack answered ${response.status}. The app needs the scope files:read.`);
    }
    if ((response.headers.get('content-type') ?? '').startsWith('text/html')) {
      await response.body.cancel();
      return refused('Slack showed its sign-in page instead. The app needs the scope files:read.');
    }
    return await readBounded(response.body);
  } catch (error) {
    options.signal.throwIfAborted();
    return refused(`Slack did not send it: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

async function readBounded(body: ReadableStream<Uint8Array>): Promise<Downloaded> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop cancels the rest of the download.
    if (size > MAX_POLICY_BYTES) return { kind: 'refused', words: tooLarge(size) };
    chunks.push(chunk);
  }
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch {
    return { kind: 'refused', words: 'it is not a text in UTF-8.' };
  }
}

function tooLarge(size: number): string {
  return `it has ${size} bytes or more; at most ${MAX_POLICY_BYTES} are read.`;
}
