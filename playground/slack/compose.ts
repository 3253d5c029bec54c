// From what an app says (text, blocks, metadata) to a message, by Slack's rules. One way for chat.*, acks and response URLs.
import type { Args } from './args.ts';
import { acceptMessageBlocks } from './block-kit/accept.ts';
import { isRecord } from './block-kit/checks.ts';
import type { Core } from './core.ts';
import type { Json } from './messages.ts';
import { SlackRefusal } from './refusal.ts';

export interface Content {
  readonly text: string;
  readonly blocks?: readonly Json[];
  readonly metadata?: Json;
}

const metadataBytes = 16_000;

function metadataOf(args: Args): Json | undefined {
  if (!args.has('metadata')) return undefined;
  const value = args.json('metadata', 'invalid_metadata_format');
  const valid = isRecord(value) && typeof value['event_type'] === 'string' && isRecord(value['event_payload']);
  if (!valid) throw new SlackRefusal('invalid_metadata_schema');
  if (JSON.stringify(value).length > metadataBytes) throw new SlackRefusal('metadata_too_large');
  return value;
}

/**
 * The content of a message. `blocks` absent: the result has none. Throws no_text, msg_too_long, invalid_blocks_format,
 * invalid_blocks, invalid_metadata_format.
 */
export function contentOf(core: Core, args: Args): Content {
  const raw = args.json('blocks', 'invalid_blocks_format');
  if (raw !== undefined && !Array.isArray(raw)) throw new SlackRefusal('invalid_blocks_format');
  const blocks =
    raw === undefined || raw.length === 0
      ? undefined
      : acceptMessageBlocks(raw, core.limits.messageBlocks, new Set(core.faults.state.unknownBlocks));
  const text = args.optional('text') ?? '';
  if (text === '' && !blocks && !args.has('attachments')) throw new SlackRefusal('no_text');
  // Slack truncates very long texts of messages; being strict here shows the mistake instead of half a message.
  if (text.length > core.limits.textChars) throw new SlackRefusal('msg_too_long');
  const metadata = metadataOf(args);
  return { text, ...(blocks ? { blocks } : {}), ...(metadata ? { metadata } : {}) };
}
