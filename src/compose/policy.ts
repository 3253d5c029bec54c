// What the bot's policy verbs are made of.

import { readRings } from '../clients/hubble/ring.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import type { SlackMessages } from '../clients/slack.ts';
import { hubbleNow } from '../connect/hubble.ts';
import { readWorkload } from '../reading/policy/seen-workload.ts';
import { askServer } from '../reading/policy/server-word.ts';
import { type CandidateSources, findCandidate } from '../reading/policy/sources/find.ts';
import { downloadText, SLACK_FILE_HOST } from '../reading/policy/sources/thread-file.ts';
import { namespacesOf } from '../reading/policy/whereabouts.ts';
import { readWorld } from '../reading/policy/world.ts';
import type { Apart } from '../slack/policy/apart.ts';
import type { PolicyParts } from '../slack/policy/parts.ts';
import type { Foundation } from './foundation.ts';

interface PolicyPartsDeps {
  readonly botToken: string;
  readonly messages: SlackMessages;
  /** Another Web API than Slack's own serves its files itself. */
  readonly slackApiUrl: string | undefined;
  readonly apart: Apart;
}

export function policyParts(on: Foundation, { botToken, messages, slackApiUrl, apart }: PolicyPartsDeps): PolicyParts {
  const hosts = [slackApiUrl === undefined ? SLACK_FILE_HOST : new URL(slackApiUrl).host];
  const clusterOf = (name: string): Cluster => {
    const cluster = on.clusters.get(name);
    if (!cluster) throw noCluster(name);
    return cluster;
  };
  return {
    apart,
    candidate: async (target, signal) => {
      const cluster = clusterOf(target.cluster);
      const { sources } = on.config.current().policy;
      const read: CandidateSources['read'] = (text, source, namespace) => apart.run('read', { text, source, namespace });
      return findCandidate({ cluster, label: sources.label, folder: sources.folder, read }, target, signal);
    },
    download: (file, signal) => downloadText(file, { botToken, hosts, signal }),
    world: async (cluster, namespace, signal) => readWorld(clusterOf(cluster), namespace, signal),
    workload: async (target, signal) => readWorkload(clusterOf(target.cluster), target, signal),
    namespacesOf: async (where, signal) => namespacesOf(clusterOf(where.cluster), where, signal),
    askServer: async (cluster, candidate, as, signal) => askServer(clusterOf(cluster), candidate, as, signal),
    rings: async (name, request, signal) => {
      const cluster = clusterOf(name);
      const config = on.config.current().clusters[name];
      if (!config) throw noCluster(name);
      return readRings(await hubbleNow(config, cluster, signal), request, signal);
    },
    post: (channelId, message, threadTs) => messages.post(channelId, message, threadTs),
    upload: (file) => messages.upload(file),
  };
}

function noCluster(name: string): Error {
  return new Error(`There is no cluster ${name} in the configuration.`);
}
