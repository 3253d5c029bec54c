// What the page may ask for, parsed once.
import { z } from 'zod';
import type { Json, Message } from './messages.ts';
import type { Outcome } from './outcome.ts';
import type { PageParts } from './page-server.ts';

const entered = z.union([z.string(), z.array(z.string()), z.record(z.string(), z.unknown()), z.null()]);
const values = z.record(z.string(), entered).default({});
const as = z.string();
/** The element as the page shows it; a button whose value changed meanwhile is not the one that was pressed. */
const element = z.object({ block_id: z.string(), action_id: z.string(), value: z.string().optional() });

const act = z.discriminatedUnion('do', [
  z.object({ do: z.literal('command'), as, channel: z.string(), text: z.string().max(8000), threadTs: z.string().optional() }),
  z.object({ do: z.literal('click'), as, channel: z.string(), ts: z.string(), element, value: entered.optional(), values }),
  z.object({ do: z.literal('view-click'), as, viewId: z.string(), element, value: entered.optional(), values }),
  z.object({ do: z.literal('home'), as }),
  z.object({ do: z.literal('submit'), as, viewId: z.string(), values }),
  z.object({ do: z.literal('close'), as, all: z.boolean().default(false) }),
  z.object({
    do: z.literal('say'),
    as,
    channel: z.string(),
    text: z.string().max(12_000),
    threadTs: z.string().optional(),
    files: z
      .array(z.object({ name: z.string().min(1).max(200), base64: z.string() }))
      .max(5)
      .default([]),
  }),
  z.object({ do: z.literal('shortcut'), as, channel: z.string(), ts: z.string(), callbackId: z.string() }),
  z.object({
    do: z.literal('suggest'),
    as,
    place: z.union([z.object({ viewId: z.string() }), z.object({ channel: z.string(), ts: z.string() })]),
    element: z.record(z.string(), z.unknown()),
    typed: z.string().max(300),
    values,
  }),
  z.object({ do: z.literal('panel'), id: z.string(), value: z.union([z.string(), z.number(), z.boolean()]).optional() }),
  z.object({
    do: z.literal('fault'),
    fault: z.enum(['down', 'refuse', 'rateLimited', 'slow', 'dropAfterPost', 'clear']),
    on: z.boolean().default(true),
  }),
]);

type Act = z.infer<typeof act>;

function same(wanted: z.infer<typeof element>): (one: Json, block: Json) => boolean {
  return (one, block) =>
    block['block_id'] === wanted.block_id && one['action_id'] === wanted.action_id && (one['value'] ?? undefined) === wanted.value;
}

async function fault(parts: PageParts, wanted: Extract<Act, { do: 'fault' }>): Promise<void> {
  const { faults } = parts.core;
  const { on } = wanted;
  if (wanted.fault === 'clear') await faults.clear();
  else if (wanted.fault === 'down' || wanted.fault === 'refuse')
    await faults.down(on ? (wanted.fault === 'down' ? '500' : 'refuse') : false);
  else if (wanted.fault === 'rateLimited') faults.rateLimited(on ? 5 : false);
  else if (wanted.fault === 'slow') faults.slow(on ? 1500 : 0);
  else faults.dropAfterPost(on ? 1 : 0);
}

function chosen(value: z.infer<typeof entered> | undefined): { value?: z.infer<typeof entered> } {
  return value === undefined ? {} : { value };
}

function thread(threadTs: string | undefined): { threadTs?: string } {
  return threadTs === undefined ? {} : { threadTs };
}

/** Performs one act and resolves with what the page needs to know of it. Throws on malformed requests. */
export async function performAct(parts: PageParts, request: unknown): Promise<Outcome | Message | Json | undefined> {
  const wanted = act.parse(request);
  const { drive } = parts;
  switch (wanted.do) {
    case 'command':
      return drive.as(wanted.as).command(wanted.channel, wanted.text, thread(wanted.threadTs));
    case 'click':
      return drive.as(wanted.as).click(wanted.channel, wanted.ts, same(wanted.element), { ...chosen(wanted.value), values: wanted.values });
    case 'view-click':
      return drive.as(wanted.as).clickInView(wanted.viewId, same(wanted.element), { ...chosen(wanted.value), values: wanted.values });
    case 'home':
      return { ok: await drive.as(wanted.as).openHome() };
    case 'submit':
      return drive.as(wanted.as).submitModal(wanted.viewId, wanted.values);
    case 'close':
      return drive.as(wanted.as).closeModal(wanted.all);
    case 'say': {
      const files = wanted.files.map((file) => ({ name: file.name, data: Buffer.from(file.base64, 'base64') }));
      return drive.as(wanted.as).say(wanted.channel, wanted.text, { ...thread(wanted.threadTs), files });
    }
    case 'shortcut':
      return drive.as(wanted.as).shortcut(wanted.channel, wanted.ts, wanted.callbackId);
    case 'suggest':
      return drive.as(wanted.as).suggest(wanted.place, wanted.element, wanted.typed, wanted.values);
    case 'panel':
      return { state: await parts.panel?.run(wanted.id, wanted.value) };
    case 'fault':
      await fault(parts, wanted);
      return undefined;
    default:
      return wanted satisfies never;
  }
}
