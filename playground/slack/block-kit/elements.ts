// Block Kit elements and composition objects with their limits (docs.slack.dev/reference/block-kit, @slack/types 3.2.0).
import { also, among, anyText, anything, type Check, flag, isRecord, list, number, object, plainText, string, typed } from './checks.ts';

export const id = string(255, 1);

const confirm = object(
  { title: plainText(100), text: anyText(300), confirm: plainText(30), deny: plainText(30) },
  { style: among('primary', 'danger') },
);
const option = object({ text: anyText(75), value: string(150, 1) }, { description: anyText(75), url: string(3000, 1) });
const optionGroup = object({ label: plainText(75), options: list(option, 1, 100) });
const conversationFilter = object(
  {},
  { include: list(string(20, 1), 1, 4), exclude_external_shared_channels: flag, exclude_bot_users: flag },
);
const placeholder = { placeholder: plainText(150), focus_on_load: flag };
const dispatchConfig = object({}, { trigger_actions_on: list(among('on_enter_pressed', 'on_character_entered'), 1, 2) });
const acting = { action_id: id, confirm };
const date = also(string(10, 10), () => undefined);

export const image: Check = also(object({ alt_text: string(2000) }, { image_url: string(3000, 1), slack_file: anything }), (value) =>
  value['image_url'] === undefined && value['slack_file'] === undefined ? 'missing required field: image_url' : undefined,
);

const button = object(
  { text: plainText(75) },
  {
    action_id: id,
    value: string(2000),
    url: string(3000, 1),
    style: among('primary', 'danger'),
    confirm,
    accessibility_label: string(75, 1),
  },
);

const oneOfOptions: Check = also(
  object(
    {},
    { ...acting, ...placeholder, options: list(option, 1, 100), option_groups: list(optionGroup, 1, 100), initial_option: option },
  ),
  (value) => {
    const both = value['options'] !== undefined && value['option_groups'] !== undefined;
    const neither = value['options'] === undefined && value['option_groups'] === undefined;
    return both ? 'only one of: options, option_groups is allowed' : neither ? 'missing required field: options' : undefined;
  },
);
const manyOfOptions: Check = object(
  {},
  {
    ...acting,
    ...placeholder,
    options: list(option, 1, 100),
    option_groups: list(optionGroup, 1, 100),
    initial_options: list(option, 1, 100),
    max_selected_items: number(1, 100),
  },
);
const ids = list(id, 1, 100);
/** What an app may offer for an external select (docs.slack.dev/reference/block-kit/block-elements/select-menu-element). */
export const suggestions: Check = also(
  object(
    {},
    { options: list(option, 0, 100), option_groups: list(object({ label: plainText(75), options: list(option, 0, 100) }), 0, 100) },
  ),
  (value) => (value['options'] === undefined && value['option_groups'] === undefined ? 'missing required field: options' : undefined),
);
const external = { min_query_length: number(0, 1000) };

const selects: Record<string, Check> = {
  static_select: oneOfOptions,
  external_select: object({}, { ...acting, ...placeholder, ...external, initial_option: option }),
  users_select: object({}, { ...acting, ...placeholder, initial_user: id }),
  conversations_select: object(
    {},
    {
      ...acting,
      ...placeholder,
      initial_conversation: id,
      default_to_current_conversation: flag,
      response_url_enabled: flag,
      filter: conversationFilter,
    },
  ),
  channels_select: object({}, { ...acting, ...placeholder, initial_channel: id, response_url_enabled: flag }),
};
const most = { max_selected_items: number(1, 100) };
const multiSelects: Record<string, Check> = {
  multi_static_select: manyOfOptions,
  multi_external_select: object({}, { ...acting, ...placeholder, ...external, ...most, initial_options: list(option, 1, 100) }),
  multi_users_select: object({}, { ...acting, ...placeholder, ...most, initial_users: ids }),
  multi_conversations_select: object(
    {},
    { ...acting, ...placeholder, ...most, initial_conversations: ids, default_to_current_conversation: flag, filter: conversationFilter },
  ),
  multi_channels_select: object({}, { ...acting, ...placeholder, ...most, initial_channels: ids }),
};
const choosers: Record<string, Check> = {
  checkboxes: object({ options: list(option, 1, 10) }, { ...acting, initial_options: list(option, 1, 10), focus_on_load: flag }),
  radio_buttons: object({ options: list(option, 1, 10) }, { ...acting, initial_option: option, focus_on_load: flag }),
  datepicker: object({}, { ...acting, ...placeholder, initial_date: date }),
  timepicker: object({}, { ...acting, ...placeholder, initial_time: string(5, 5), timezone: string(100, 1) }),
  datetimepicker: object({}, { ...acting, initial_date_time: number(1_000_000_000, 9_999_999_999), focus_on_load: flag }),
};
const pressed: Record<string, Check> = {
  button,
  overflow: object({ options: list(option, 1, 5) }, acting),
  workflow_button: object(
    { text: plainText(75), workflow: anything },
    { action_id: id, style: among('primary', 'danger'), accessibility_label: string(75, 1) },
  ),
};
const typing = { action_id: id, ...placeholder, dispatch_action_config: dispatchConfig };
const inputs: Record<string, Check> = {
  plain_text_input: object(
    {},
    { ...typing, initial_value: string(3000), multiline: flag, min_length: number(0, 3000), max_length: number(1, 3000) },
  ),
  email_text_input: object({}, { ...typing, initial_value: string(3000) }),
  url_text_input: object({}, { ...typing, initial_value: string(3000) }),
  number_input: object(
    { is_decimal_allowed: flag },
    { ...typing, initial_value: string(100), min_value: string(100), max_value: string(100) },
  ),
  rich_text_input: object({}, { ...typing, initial_value: anything }),
  file_input: object({}, { action_id: id, filetypes: list(string(20, 1), 1, 100), max_files: number(1, 10) }),
};
const feedback = object({ text: plainText(75), value: string(2000) }, { accessibility_label: string(75, 1) });

export const inActions = typed({
  ...pressed,
  ...choosers,
  ...selects,
  ...multiSelects,
  rich_text_input: inputs['rich_text_input'] ?? anything,
});
export const inAccessory = typed({ ...pressed, ...choosers, ...selects, ...multiSelects, image });
export const inInput = typed({ ...inputs, ...choosers, ...selects, ...multiSelects });
export const inContext = typed({
  image,
  plain_text: object({ text: string(3000, 1) }, { emoji: flag }),
  mrkdwn: object({ text: string(3000, 1) }, { verbatim: flag }),
});
export const inContextActions = typed({
  feedback_buttons: object({ positive_button: feedback, negative_button: feedback }, { action_id: id }),
  icon_button: object(
    { icon: among('trash'), text: plainText(75) },
    { action_id: id, value: string(2000), confirm, accessibility_label: string(75, 1), visible_to_user_ids: list(id, 1, 100) },
  ),
});
/** Only buttons, as in cards and alerts. */
export const buttonsOnly = typed({ button });

/** Element types whose presence makes a block interactive and that so need an action_id. */
export const interactiveTypes: ReadonlySet<string> = new Set([
  ...[pressed, choosers, selects, multiSelects, inputs].flatMap((table) => Object.keys(table)),
  'feedback_buttons',
  'icon_button',
]);

/** Every interactive element of a block, wherever it sits. */
export function elementsOf(block: Readonly<Record<string, unknown>>): readonly Record<string, unknown>[] {
  const nested = [block['elements'], block['actions'], block['blocks'], block['cards']].flatMap((entry) =>
    Array.isArray(entry) ? entry : [],
  );
  const found = [block['accessory'], block['element'], ...nested].filter(isRecord);
  return found.flatMap((entry) => (interactiveTypes.has(String(entry['type'])) ? [entry] : elementsOf(entry)));
}

/** An element by its action_id, or by a predicate over the element and its block. */
export type ElementChoice = string | ((element: Readonly<Record<string, unknown>>, block: Readonly<Record<string, unknown>>) => boolean);

export function findElement(
  blocks: readonly Readonly<Record<string, unknown>>[],
  choice: ElementChoice,
): { element: Readonly<Record<string, unknown>>; blockId: string } | undefined {
  for (const block of blocks) {
    const element = elementsOf(block).find((one) => (typeof choice === 'string' ? one['action_id'] === choice : choice(one, block)));
    if (element) return { element, blockId: String(block['block_id']) };
  }
  return undefined;
}
