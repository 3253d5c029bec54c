// A cluster's encryption as a test says; messages and uploads go to the real playground.

import type { SlackPlayground } from '../../../playground/slack/slack.ts';
import { createSlackMessages } from '../../../src/clients/slack.ts';
import type { EncryptionFacts } from '../../../src/domain/encryption/facts.ts';
import { pngOf } from '../../../src/messages/image.ts';
import type { EncryptionParts } from '../../../src/slack/encryption/parts.ts';
import { cluster, node } from '../../domain/encryption/clusters.ts';

export interface PlayedEncryption extends EncryptionParts {
  /** What the cluster says, or why it says nothing. */
  says: EncryptionFacts | Error;
}

export function playEncryption(slack: Pick<SlackPlayground, 'botToken' | 'apiUrl'>): PlayedEncryption {
  const messages = createSlackMessages({ token: slack.botToken, apiUrl: slack.apiUrl });
  const played: PlayedEncryption = {
    says: cluster([node('node-1'), node('node-2'), node('node-3')]),
    facts: async () => {
      if (played.says instanceof Error) throw played.says;
      return played.says;
    },
    picture: pngOf,
    post: (channelId, message, threadTs) => messages.post(channelId, message, threadTs),
    upload: (file) => messages.upload(file),
  };
  return played;
}
