// What Temporal should do about bad news from Slack.
import { ApplicationFailure } from '@temporalio/common';
import { SlackRateLimited, SlackRefused, SlackUnclear } from '../../src/clients/slack.ts';

/**
 * 429: retried after exactly the time Slack named. Unclear: retried, and the retry looks first whether it was done.
 * A refusal (channel archived, bot not in the channel, token revoked) is not retried: a person must mend it.
 */
export function slackFailure(error: unknown): unknown {
  if (error instanceof SlackRateLimited) {
    return ApplicationFailure.create({
      type: 'SlackRateLimited',
      message: error.message,
      nextRetryDelay: error.retryAfterMs,
      cause: error,
    });
  }
  if (error instanceof SlackRefused) {
    const message = `${error.message}. The mesh is not affected by this; the operation goes on without this message. ${remedy(error.code)}`;
    return ApplicationFailure.create({ type: 'SlackRefused', message, nonRetryable: true, cause: error, details: [error.code] });
  }
  if (error instanceof SlackUnclear) return ApplicationFailure.create({ type: 'SlackUnclear', message: error.message, cause: error });
  return error;
}

function remedy(code: string): string {
  switch (code) {
    case 'not_in_channel':
    case 'channel_not_found':
      return 'Invite the bot to the channel and check its id in meshops.yaml.';
    case 'is_archived':
      return 'Unarchive the channel or configure another one.';
    case 'invalid_auth':
    case 'token_revoked':
    case 'token_expired':
    case 'account_inactive':
    case 'missing_scope':
      return 'Check the bot token and its scopes against manifests/slack/app-manifest.yaml.';
    default:
      return "The code is explained in the method's page on docs.slack.dev.";
  }
}
