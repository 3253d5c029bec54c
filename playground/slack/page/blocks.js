// Block Kit as elements of the page.
import { h, safeUrl } from './dom.js';
import { element } from './elements.js';
import { mrkdwn, textObject } from './mrkdwn.js';
import { richText } from './rich-text.js';

function image(block) {
  const url = safeUrl(block.image_url);
  const picture = url ? h('img', { src: url, alt: block.alt_text, loading: 'lazy' }) : h('span', { class: 'muted' }, block.alt_text);
  return h('figure', { class: 'block-image' }, block.title && h('figcaption', {}, textObject(block.title)), picture);
}

function section(block, place) {
  const text = h('div', { class: 'grow' }, block.text && h('div', { class: 'text' }, textObject(block.text)));
  if (block.fields)
    text.append(
      h(
        'div',
        { class: 'fields' },
        block.fields.map((field) => h('div', { class: 'text' }, textObject(field))),
      ),
    );
  const { accessory } = block;
  if (!accessory) return text;
  const shown =
    accessory.type === 'image'
      ? h('img', { class: 'accessory', src: safeUrl(accessory.image_url), alt: accessory.alt_text })
      : element(accessory, block, place);
  return h('div', { class: 'section' }, text, shown);
}

function context(block) {
  const parts = block.elements.map((one) =>
    one.type === 'image' ? h('img', { src: safeUrl(one.image_url), alt: one.alt_text }) : h('span', {}, textObject(one)),
  );
  return h('div', { class: 'context' }, parts);
}

const words = { pending: 'waiting', in_progress: 'in progress', complete: 'done', error: 'failed' };

function task(card) {
  const mark = h('span', { class: `mark ${card.status}`, 'aria-hidden': 'true' });
  const head = h(
    'div',
    { class: 'task-head' },
    mark,
    h('span', { class: 'task-title' }, card.title),
    h('span', { class: 'task-state' }, words[card.status]),
  );
  const sources = (card.sources ?? []).map((one) => h('a', { href: safeUrl(one.url), target: '_blank', rel: 'noreferrer' }, one.text));
  return h(
    'li',
    { class: `task ${card.status}` },
    head,
    card.details && richText(card.details),
    card.output && richText(card.output),
    ...sources,
  );
}

function plan(block) {
  const tasks = (block.tasks ?? []).filter((one) => one.type === 'task_card');
  const done = tasks.filter((one) => one.status === 'complete').length;
  const head = h('div', { class: 'plan-head' }, h('b', {}, block.title), h('span', { class: 'muted' }, `${done} of ${tasks.length}`));
  return h('div', { class: 'plan' }, head, h('ol', {}, tasks.map(task)));
}

function cell(one) {
  if (one.type === 'rich_text') return [richText(one)];
  return [one.type === 'raw_number' ? (one.text ?? String(one.value)) : one.text];
}

function table(block) {
  const align = (index) => `align-${block.column_settings?.[index]?.align ?? 'left'}`;
  const row = (tag) => (cells) =>
    h(
      'tr',
      {},
      cells.map((one, index) => h(tag, { class: align(index) }, cell(one))),
    );
  const [head, ...body] = block.rows;
  const caption = block.caption && h('caption', {}, block.caption);
  return h('div', { class: 'table-wrap' }, h('table', {}, caption, h('thead', {}, row('th')(head)), h('tbody', {}, body.map(row('td')))));
}

function input(block, place) {
  const label = h('span', { class: 'label' }, textObject(block.label), block.optional && h('span', { class: 'muted' }, ' (optional)'));
  const id = `in-${block.block_id}`;
  const field = h('div', { class: 'input-block', 'data-block': block.block_id }, h('label', { for: id }, label));
  const control = element(block.element, block, place, id);
  field.append(control, h('p', { class: 'field-error', role: 'alert', hidden: true }));
  if (block.hint) field.append(h('p', { class: 'hint' }, textObject(block.hint)));
  return field;
}

/** Just enough Markdown for the markdown block: headings and lists as lines, bold and links through mrkdwn. */
function markdown(text) {
  const lines = text.split('\n').map((line) => line.replace(/^#+ (.*)$/, '*$1*').replace(/^[-*] /, '• '));
  return mrkdwn(
    lines
      .join('\n')
      .replaceAll('**', '*')
      .replace(/\[([^\]]+)\]\(([^)]+)\)/g, '<$2|$1>'),
  );
}

function card(block, place) {
  const actions = h(
    'div',
    { class: 'actions' },
    (block.actions ?? []).map((one) => element(one, block, place)),
  );
  const hero = block.hero_image && h('img', { src: safeUrl(block.hero_image.image_url), alt: block.hero_image.alt_text });
  const parts = [
    block.title && h('b', {}, textObject(block.title)),
    block.subtitle && h('div', { class: 'muted' }, textObject(block.subtitle)),
  ];
  return h('div', { class: 'card' }, hero, parts, block.body && h('div', {}, textObject(block.body)), actions);
}

const kinds = {
  section,
  context,
  image,
  plan,
  table,
  input,
  card,
  data_table: table,
  divider: () => h('hr'),
  header: (block) => h('h3', {}, textObject(block.text)),
  actions: (block, place) =>
    h(
      'div',
      { class: 'actions' },
      block.elements.map((one) => element(one, block, place)),
    ),
  context_actions: (block, place) =>
    h(
      'div',
      { class: 'actions' },
      block.elements.map((one) => element(one, block, place)),
    ),
  rich_text: richText,
  markdown: (block) => h('div', { class: 'text' }, markdown(block.text)),
  task_card: (block) => h('ol', { class: 'plan lone' }, task(block)),
  alert: (block) => h('div', { class: `alert ${block.level ?? 'default'}`, role: 'note' }, textObject(block.text)),
  carousel: (block, place) =>
    h(
      'div',
      { class: 'carousel' },
      block.elements.map((one) => card(one, place)),
    ),
  container: (block, place) => h('div', { class: 'card' }, blocks(block.child_blocks, place)),
};

/** Elements for blocks. `place` says where clicks go: `{ channel, ts }` or `{ viewId }`, with `values` for inputs. */
export function blocks(list, place) {
  return list.map((block) => h('div', { class: `block is-${block.type}` }, (kinds[block.type] ?? unknown)(block, place)));
}

function unknown(block) {
  return h('p', { class: 'muted' }, `[${block.type}: this page cannot show it]`);
}
