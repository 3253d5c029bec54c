// What a worker can do for one cluster, put together from the parts that the process owns.
import { Context } from '@temporalio/activity';
import { createAnnounce } from '../../activities/announce/index.ts';
import { createSlackMessages } from '../../activities/clients/slack.ts';
import type { Shared } from '../../activities/contract.ts';
import { type Foundation, required } from './foundation.ts';

export interface ClusterActivities {
  readonly activities: object;
  close(): void;
}

/** What all verbs share; the steps of the verbs stand beside it under `<verb>.<step>`. */
export function sharedActivities(on: Foundation): Shared {
  const { audit, people, telemetry, environment, config, now } = on;
  const slackApiUrl = environment.slackApiUrl ?? config.current().slack.apiUrl;
  const token = required(environment.slackBotToken, 'SLACK_BOT_TOKEN', 'the worker cannot show what it does');
  const slack = createSlackMessages({ token, ...(slackApiUrl ? { apiUrl: slackApiUrl } : {}) });
  const { announce, say, chart } = createAnnounce({ slack, now, logger: telemetry.log });
  return {
    announce,
    say,
    chart,
    record: async ({ records }) => audit.append(records),
    resolveApprovers: async ({ rule }) => people.approvers(rule, Context.current().cancellationSignal),
  };
}

/** The activities of one cluster's worker. */
export function clusterActivities(on: Foundation, _cluster: string): ClusterActivities {
  return { activities: sharedActivities(on), close: () => undefined };
}
