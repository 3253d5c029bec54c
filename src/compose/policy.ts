// What the bot's policy verbs are made of.
import type { SlackMessages } from '../../activities/clients/slack.ts';
import { findCandidate } from '../../activities/policy/sources/find.ts';
import { downloadText, SLACK_FILE_HOST } from '../../activities/policy/sources/thread-file.ts';
import type { PolicyParts } from '../slack/policy/parts.ts';
import type { Foundation } from './foundation.ts';

export interface PolicyPartsDeps {
  readonly botToken: string;
  readonly messages: SlackMessages;
  /** Another Web API than Slack's own serves its files itself. */
  readonly slackApiUrl: string | undefined;
}

export function policyParts(on: Foundation, { botToken, messages, slackApiUrl }: PolicyPartsDeps): PolicyParts {
  const hosts = [slackApiUrl === undefined ? SLACK_FILE_HOST : new URL(slackApiUrl).host];
  return {
    candidate: (target, signal) => {
      const cluster = on.clusters.get(target.cluster);
      if (!cluster) throw new Error(`There is no cluster ${target.cluster} in the configuration.`);
      const { sources } = on.config.current().policy;
      return findCandidate({ cluster, label: sources.label, folder: sources.folder }, target, signal);
    },
    download: (file, signal) => downloadText(file, { botToken, hosts, signal }),
    post: (channelId, message, threadTs) => messages.post(channelId, message, threadTs),
    upload: (file) => messages.upload(file),
  };
}
