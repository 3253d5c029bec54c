import { WebClient } from '@slack/web-api';
import { wayOut } from '../net/proxy.ts';

/** Where and as whom the Web API is called. */
interface WebOptions {
  readonly token: string;
  /** Slack's own address when left out. */
  readonly slackApiUrl?: string;
  /** How long one call may take. Milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * A client that never repeats a call by itself: its default of ten retries posts twice when the connection breaks after Slack
 * stored a message, and waits for minutes on a 429. Whoever calls decides what is safe to repeat.
 */
export function createWebClient(options: WebOptions): WebClient {
  return new WebClient(options.token, {
    fetch: wayOut().fetch,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: options.timeoutMs ?? 5_000,
    ...(options.slackApiUrl ? { slackApiUrl: options.slackApiUrl } : {}),
  });
}
