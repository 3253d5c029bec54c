// What Slack's requests look like, as far as anything reads them: what has another shape is refused at the door, since the library takes it for granted.
import * as z from 'zod';

const UserId = z.string().regex(/^[UW][A-Z0-9]{1,30}$/);
const PlaceId = z.string().regex(/^[CDGTE][A-Z0-9]{1,30}$/);
const Words = z.string().optional();

const Command = z.object({
  command: z.string(),
  text: Words,
  team_id: PlaceId,
  channel_id: PlaceId,
  user_id: UserId,
  api_app_id: Words,
  trigger_id: z.string().min(1),
  response_url: Words,
});

const Team = z.object({ id: PlaceId }).nullish();
const Entered = z.record(z.string(), z.record(z.string(), z.object({}).loose()));
const View = z.object({
  id: z.string(),
  type: Words,
  callback_id: Words,
  private_metadata: Words,
  hash: Words,
  state: z.object({ values: Entered }).nullish(),
});
const Message = z.object({ ts: Words, text: Words.nullable(), thread_ts: Words });
const Interaction = z.object({
  type: z.string(),
  user: z.object({ id: UserId }),
  team: Team,
  enterprise: z.object({ id: z.string() }).nullish(),
  api_app_id: Words,
  trigger_id: Words,
  response_url: Words,
  // Null is what the library does not expect.
  channel: z.object({ id: PlaceId }).optional(),
  message: Message.nullish(),
  view: View.optional(),
  actions: z.array(z.object({ type: z.string(), action_id: Words, block_id: Words, value: Words })).optional(),
  callback_id: Words,
  action_id: Words,
  block_id: Words,
  value: Words,
});
/** The library reads the view of these, and of no other kind. */
const WITH_VIEW: readonly string[] = ['view_submission', 'view_closed'];

const Event = z.object({ type: z.string(), event: z.object({ type: z.string() }).optional(), challenge: Words });

/** Slack's id of an account. */
export function isUserId(id: unknown): id is string {
  return UserId.safeParse(id).success;
}

/** A form's fields: a command, or an interaction in its one payload. */
export function isFormOfSlack(fields: URLSearchParams): boolean {
  const payloads = fields.getAll('payload');
  const [payload] = payloads;
  if (payload === undefined) return fields.has('ssl_check') || Command.safeParse(Object.fromEntries(fields)).success;
  if (payloads.length > 1) return false;
  const read = Interaction.safeParse(JSON.parse(payload));
  if (!read.success) return false;
  const { type, view, actions } = read.data;
  if (WITH_VIEW.includes(type) && !view) return false;
  return type !== 'block_actions' || (actions !== undefined && actions.length > 0);
}

/** What comes as JSON: an event, or Slack's question whether somebody is there. */
export function isEventOfSlack(body: unknown): boolean {
  return Event.safeParse(body).success;
}
