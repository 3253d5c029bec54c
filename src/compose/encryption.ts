// What the bot's encryption verbs are made of.

import type { SlackMessages } from '../clients/slack.ts';
import { pngOf } from '../messages/image.ts';
import { readEncryptionFacts } from '../reading/nodes/encryption.ts';
import type { EncryptionParts } from '../slack/encryption/parts.ts';
import type { Foundation } from './foundation.ts';

export function encryptionParts({ clusters, now }: Pick<Foundation, 'clusters' | 'now'>, messages: SlackMessages): EncryptionParts {
  return {
    facts: async (name, signal) => {
      const cluster = clusters.get(name);
      if (!cluster) throw new Error(`There is no cluster ${name} in the configuration.`);
      return readEncryptionFacts(cluster, name, now(), signal);
    },
    picture: pngOf,
    post: (channelId, message, threadTs) => messages.post(channelId, message, threadTs),
    upload: (file) => messages.upload(file),
  };
}
