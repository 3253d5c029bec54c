import type { SlackFile, SlackText } from '../../clients/slack.ts';
import type { EncryptionFacts } from '../../domain/encryption/facts.ts';

/** What the encryption verbs need beyond the rest of the bot. */
export interface EncryptionParts {
  /** Rejects when the cluster does not answer. */
  facts(cluster: string, signal: AbortSignal): Promise<EncryptionFacts>;
  /** An SVG as PNG. */
  picture(svg: string, zoom: number): Uint8Array<ArrayBuffer>;
  /** A message that everybody sees; returns its ts. */
  post(channelId: string, message: SlackText, threadTs?: string): Promise<string>;
  upload(file: SlackFile): Promise<void>;
}
