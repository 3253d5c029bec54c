// Blocks with their limits, and where each may stand (docs.slack.dev/reference/block-kit/blocks, @slack/types 3.2.0).
import { also, among, anyText, anything, type Check, flag, later, list, number, object, plainText, string, typed } from './checks.ts';
import { buttonsOnly, id, image, inAccessory, inActions, inContext, inContextActions, inInput } from './elements.ts';
import { rawCell, richText } from './rich-text.ts';

const base = { block_id: id };

const section: Check = also(
  object({}, { ...base, text: anyText(3000), fields: list(anyText(2000), 1, 10), accessory: inAccessory, expand: flag }),
  (value) => (value['text'] === undefined && value['fields'] === undefined ? 'missing required field: text' : undefined),
);
const imageBlock: Check = also(
  object({ alt_text: string(2000) }, { ...base, image_url: string(3000, 1), slack_file: anything, title: plainText(2000) }),
  (value) => (value['image_url'] === undefined && value['slack_file'] === undefined ? 'missing required field: image_url' : undefined),
);
const cells = list(rawCell, 1, 20);
const table = object(
  { rows: list(cells, 1, 100) },
  { ...base, column_settings: list(object({}, { align: among('left', 'center', 'right'), is_wrapped: flag }), 0, 20) },
);
const dataTable = object(
  { rows: list(cells, 1, 100), caption: string(200, 1) },
  { ...base, page_size: number(1, 100), row_header_column_index: number(0, 19) },
);
const taskCard = object(
  { task_id: string(255, 1), title: string(150, 1), status: among('pending', 'in_progress', 'complete', 'error') },
  { ...base, details: richText, output: richText, sources: list(object({ url: string(3000, 1), text: string(150, 1) }), 0, 10) },
);
const plan = object({ title: string(150, 1) }, { ...base, tasks: list(typed({ task_card: taskCard }), 0, 50) });
const card: Check = also(
  object(
    {},
    {
      ...base,
      hero_image: image,
      icon: image,
      title: anyText(150),
      subtitle: anyText(150),
      body: anyText(200),
      actions: list(buttonsOnly, 1, 3),
    },
  ),
  (value) =>
    ['hero_image', 'title', 'actions', 'body'].some((name) => value[name] !== undefined) ? undefined : 'missing required field: title',
);
const carousel = object({ elements: list(typed({ card }), 1, 10) }, base);

const everywhere: Record<string, Check> = {
  section,
  actions: object({ elements: list(inActions, 1, 25) }, base),
  context: object({ elements: list(inContext, 1, 10) }, base),
  header: object({ text: plainText(150) }, { ...base, level: number(1, 4) }),
  divider: object({}, base),
  image: imageBlock,
  rich_text: richText,
  video: object(
    { video_url: string(3000, 1), thumbnail_url: string(3000, 1), alt_text: string(2000), title: plainText(200) },
    {
      ...base,
      author_name: string(50),
      title_url: string(3000),
      description: plainText(200),
      provider_icon_url: string(3000),
      provider_name: string(50),
    },
  ),
  input: object({ label: plainText(2000), element: inInput }, { ...base, hint: plainText(2000), optional: flag, dispatch_action: flag }),
  container: later(() =>
    object(
      { title: anything, child_blocks: list(inMessage, 1, 50) },
      { ...base, subtitle: anything, icon: anything, is_collapsible: flag, default_collapsed: flag, width: anything },
    ),
  ),
};

/** Blocks a message may carry. */
export const inMessage = typed({
  ...everywhere,
  markdown: object({ text: string(12_000, 1) }, base),
  table,
  data_table: dataTable,
  plan,
  task_card: taskCard,
  card,
  carousel,
  context_actions: object({ elements: list(inContextActions, 1, 5) }, base),
  file: object({ external_id: string(255, 1), source: among('remote') }, base),
});

/** Blocks a Home may carry. */
export const inHome = typed(everywhere);

/** Blocks a modal may carry. `alert` is for modals only (node-slack-sdk #2567). */
export const inModal = typed({
  ...everywhere,
  alert: object({ text: anyText(3000) }, { ...base, level: among('default', 'info', 'warning', 'error', 'success') }),
});
