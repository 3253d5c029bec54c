// Slack's request signature, version v0 (docs.slack.dev/authentication/verifying-requests-from-slack).
import { createHmac } from 'node:crypto';

/** Headers that prove to the app that `body` comes from Slack. `nowMs` is milliseconds since the epoch. */
export function signedHeaders(signingSecret: string, body: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const digest = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${digest}` };
}
