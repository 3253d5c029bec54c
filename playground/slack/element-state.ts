// Values of interactive elements: what a person chose, in the shape Slack reports it.
import { isRecord } from './block-kit/checks.ts';
import { elementsOf } from './block-kit/elements.ts';
import type { Json } from './messages.ts';
import { SlackRefusal } from './refusal.ts';

/** What a person entered: text or an option's value, several of them, or an option from a suggestion. */
export type Entered = string | readonly string[] | Json | null;

/** Keyed by `block_id/action_id`, `action_id` or `block_id`. */
export type Values = Readonly<Record<string, Entered>>;

const fields: Readonly<Record<string, readonly [initial: string, reported: string]>> = {
  plain_text_input: ['initial_value', 'value'],
  email_text_input: ['initial_value', 'value'],
  url_text_input: ['initial_value', 'value'],
  number_input: ['initial_value', 'value'],
  rich_text_input: ['initial_value', 'rich_text_value'],
  static_select: ['initial_option', 'selected_option'],
  external_select: ['initial_option', 'selected_option'],
  radio_buttons: ['initial_option', 'selected_option'],
  users_select: ['initial_user', 'selected_user'],
  conversations_select: ['initial_conversation', 'selected_conversation'],
  channels_select: ['initial_channel', 'selected_channel'],
  multi_static_select: ['initial_options', 'selected_options'],
  multi_external_select: ['initial_options', 'selected_options'],
  checkboxes: ['initial_options', 'selected_options'],
  multi_users_select: ['initial_users', 'selected_users'],
  multi_conversations_select: ['initial_conversations', 'selected_conversations'],
  multi_channels_select: ['initial_channels', 'selected_channels'],
  datepicker: ['initial_date', 'selected_date'],
  timepicker: ['initial_time', 'selected_time'],
  datetimepicker: ['initial_date_time', 'selected_date_time'],
};

function optionsOf(element: Json): readonly Json[] {
  const groups = Array.isArray(element['option_groups']) ? element['option_groups'].filter(isRecord) : [];
  return [element['options'], ...groups.map((group) => group['options'])].flatMap((list) =>
    Array.isArray(list) ? list.filter(isRecord) : [],
  );
}

function option(element: Json, wanted: unknown): Json {
  if (isRecord(wanted) && String(element['type']).includes('external')) return wanted;
  const value = isRecord(wanted) ? wanted['value'] : wanted;
  const found = optionsOf(element).find((one) => one['value'] === value);
  if (!found) throw new SlackRefusal('option_not_offered', { messages: [`${String(value)} is not among the options`] });
  return found;
}

function reported(element: Json, name: string, entered: Entered | undefined): unknown {
  if (entered === undefined || entered === null) return null;
  if (name === 'selected_option') return option(element, entered);
  if (name === 'selected_options') return (Array.isArray(entered) ? entered : [entered]).map((one) => option(element, one));
  if (name === 'selected_date_time') return Number(entered);
  return entered;
}

function enteredFor(blockId: string, actionId: string, values: Values): Entered | undefined {
  return values[`${blockId}/${actionId}`] ?? values[actionId] ?? values[blockId];
}

/** State of one element: `{ type, value | selected_… }`; undefined for buttons and overflow menus, which have none. */
export function elementState(element: Json, entered: Entered | undefined): Json | undefined {
  const names = fields[String(element['type'])];
  if (!names) return undefined;
  const [initial, name] = names;
  return { type: element['type'], [name]: entered === undefined ? (element[initial] ?? null) : reported(element, name, entered) };
}

/** `state.values` of a message or view. Throws option_not_offered. */
export function stateOf(blocks: readonly Json[], values: Values): Record<string, Record<string, Json>> {
  const state: Record<string, Record<string, Json>> = {};
  for (const block of blocks) {
    const blockId = String(block['block_id']);
    for (const element of elementsOf(block)) {
      const actionId = String(element['action_id']);
      const one = elementState(element, enteredFor(blockId, actionId, values));
      if (one) state[blockId] = { ...state[blockId], [actionId]: one };
    }
  }
  return state;
}

function isEmpty(state: Json | undefined): boolean {
  const value = Object.entries(state ?? {}).find(([name]) => name !== 'type')?.[1];
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

/** What Slack's client refuses before a modal is sent: messages by block_id. */
export function inputErrors(
  blocks: readonly Json[],
  state: Readonly<Record<string, Readonly<Record<string, Json>>>>,
): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const block of blocks.filter((one) => one['type'] === 'input')) {
    const blockId = String(block['block_id']);
    const element = isRecord(block['element']) ? block['element'] : {};
    const entered = state[blockId]?.[String(element['action_id'])];
    const text = typeof entered?.['value'] === 'string' ? entered['value'] : undefined;
    const [min, max] = [Number(element['min_length'] ?? 0), Number(element['max_length'] ?? 3000)];
    if (isEmpty(entered) && block['optional'] !== true) errors[blockId] = 'Please complete this required field.';
    else if (text && text.length < min) errors[blockId] = `Please use at least ${min} characters.`;
    else if (text && text.length > max) errors[blockId] = `Please use at most ${max} characters.`;
  }
  return errors;
}

/** The entry of `actions` that a click or choice makes. */
export function actionOf(blockId: string, element: Json, entered: Entered | undefined, actionTs: string): Json {
  const base = { type: element['type'], action_id: element['action_id'], block_id: blockId, action_ts: actionTs };
  if (element['type'] === 'overflow') return { ...base, selected_option: option(element, entered) };
  const state = elementState(element, entered);
  if (state) return { ...base, ...state };
  const carried = ['text', 'value', 'style', 'url'].filter((name) => element[name] !== undefined);
  return { ...base, ...Object.fromEntries(carried.map((name) => [name, element[name]])) };
}
