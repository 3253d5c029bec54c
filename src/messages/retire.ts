// Buttons of an operation that is over hold until another one completes on its target; then they go.
import type { KnownBlock } from '@slack/types';
import { ACTION } from '../domain/lifecycle/button.ts';
import type { MessageRef } from '../domain/lifecycle/operation.ts';
import { ROOT_EVENT, section } from './message.ts';

/** Where messages are kept. */
interface Stored {
  read(
    channelId: string,
    ts: string,
  ): Promise<
    | {
        readonly text?: string;
        readonly blocks?: readonly KnownBlock[];
        readonly event?: { readonly type: string; readonly payload: object };
      }
    | undefined
  >;
  update(
    channelId: string,
    ts: string,
    message: {
      readonly text: string;
      readonly blocks: KnownBlock[];
      readonly metadata: { event_type: string; event_payload: Record<string, string> };
    },
  ): Promise<void>;
}

const OFFERS: readonly string[] = [ACTION.nextPromote, ACTION.nextRollback, ACTION.nextZero];
const NEXT = '*Next:*';
const LATER = `${NEXT} A later operation has changed this target. The newest message has the buttons that hold.`;

/** Takes them off a root message, as it is stored: nobody needs to know the operation any more. Rejects like every call to Slack. */
export async function retireButtons(slack: Stored, { channelId, ts }: MessageRef): Promise<void> {
  const stored = await slack.read(channelId, ts);
  if (stored?.event?.type !== ROOT_EVENT || !stored.blocks) return;
  const blocks = stored.blocks.flatMap(withoutOffers);
  if (blocks.length === stored.blocks.length && blocks.every((block, index) => block === stored.blocks?.[index])) return;
  const metadata = { event_type: stored.event.type, event_payload: stored.event.payload as Record<string, string> };
  const told = blocks.map((block) => (isNext(block) ? section(LATER) : block));
  await slack.update(channelId, ts, { text: stored.text ?? '', blocks: told, metadata });
}

function withoutOffers(block: KnownBlock): readonly KnownBlock[] {
  if (block.type !== 'actions') return [block];
  const elements = block.elements.filter((element) => !OFFERS.includes(element.action_id ?? ''));
  if (elements.length === block.elements.length) return [block];
  return elements.length === 0 ? [] : [{ ...block, elements }];
}

function isNext(block: KnownBlock): boolean {
  return block.type === 'section' && block.text?.text.startsWith(NEXT) === true;
}
