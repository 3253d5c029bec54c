// Interactive elements: buttons, menus, inputs. Each tells the place what was chosen.
import { confirmed } from './dialog.js';
import { h, icon, safeUrl } from './dom.js';
import { textObject } from './mrkdwn.js';
import { act, store } from './store.js';

const keyOf = (block, one) => `${block.block_id}/${one.action_id}`;

/** Sends a press or choice to the app; the control is busy until the app has acknowledged. */
async function send(one, block, place, control, value) {
  if (!(await confirmed(one.confirm))) return;
  if (control) control.setAttribute('aria-busy', 'true');
  const target = { block_id: block.block_id, action_id: one.action_id, ...(one.value === undefined ? {} : { value: one.value }) };
  const where = place.viewId ? { do: 'view-click', viewId: place.viewId } : { do: 'click', channel: place.channel, ts: place.ts };
  await act({ ...where, element: target, values: place.values ?? {}, ...(value === undefined ? {} : { value }) });
  control?.removeAttribute('aria-busy');
}

function button(one, block, place) {
  const url = safeUrl(one.url);
  const props = {
    type: 'button',
    class: `button ${one.style ?? ''}`,
    'aria-label': one.accessibility_label,
    'data-focus': keyOf(block, one),
    onclick: (event) => {
      if (url) window.open(url, '_blank', 'noopener');
      void send(one, block, place, event.currentTarget);
    },
  };
  return h('button', props, textObject(one.text));
}

/** A choice was made: remembered for the form, sent when the element stands outside inputs or dispatches. */
function choose(one, block, place, control, value) {
  place.values ??= {};
  place.values[keyOf(block, one)] = value;
  if (block.type !== 'input' || block.dispatch_action) void send(one, block, place, control, value);
}

function overflow(one, block, place) {
  const menu = h('div', { class: 'menu', role: 'menu', popover: 'auto' });
  const items = one.options.map((option) =>
    h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        onclick: () => {
          menu.hidePopover();
          void send(one, block, place, undefined, option.value);
        },
      },
      textObject(option.text),
    ),
  );
  menu.append(...items);
  const opener = h(
    'button',
    { type: 'button', class: 'button square', 'aria-label': 'More actions', 'aria-haspopup': 'menu' },
    icon('more'),
  );
  opener.addEventListener('click', () => openMenu(menu, opener));
  return h('span', { class: 'overflow' }, opener, menu);
}

/** Shows a popover below its opener, inside the window. */
export function openMenu(menu, opener) {
  menu.showPopover();
  const at = opener.getBoundingClientRect();
  menu.style.top = `${Math.min(at.bottom + 4, window.innerHeight - menu.offsetHeight - 8)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - menu.offsetWidth - 8))}px`;
  menu.querySelector('button')?.focus();
}

function optionsOf(one) {
  const people = [...store.users.values()].filter((user) => !user.deleted).map((user) => [user.id, user.real_name]);
  const channels = store.channels.map((channel) => [channel.id, channel.name ? `#${channel.name}` : channel.id]);
  if (one.type.includes('users')) return people;
  if (one.type.includes('channels') || one.type.includes('conversations')) return channels;
  return [...(one.options ?? []), ...(one.option_groups ?? []).flatMap((group) => group.options)].map((option) => [
    option.value,
    option.text.text,
  ]);
}

function initials(one) {
  const first = one.initial_option?.value ?? one.initial_user ?? one.initial_channel ?? one.initial_conversation;
  const many = one.initial_options?.map((option) => option.value) ?? one.initial_users ?? one.initial_channels ?? one.initial_conversations;
  return many ?? (first === undefined ? [] : [first]);
}

function select(one, block, place, id) {
  const multiple = one.type.startsWith('multi_');
  const picked = initials(one);
  const entries = optionsOf(one).map(([value, label]) => h('option', { value, selected: picked.includes(value) }, label));
  const hint = h('option', { value: '', disabled: true, selected: picked.length === 0, hidden: true }, one.placeholder?.text ?? 'Choose…');
  const control = h(
    'select',
    { id, multiple, 'aria-label': one.placeholder?.text, 'data-focus': keyOf(block, one) },
    multiple ? [] : hint,
    entries,
  );
  control.addEventListener('change', () => {
    const chosen = [...control.selectedOptions].map((option) => option.value);
    choose(one, block, place, control, multiple ? chosen : chosen[0]);
  });
  return control;
}

function externalSelect(one, block, place, id) {
  const list = h('datalist', { id: `list-${block.block_id}-${one.action_id}` });
  const control = h('input', {
    id,
    type: 'search',
    list: list.id,
    placeholder: one.placeholder?.text ?? 'Type to search…',
    value: one.initial_option?.text.text ?? '',
    'data-focus': keyOf(block, one),
  });
  const offered = new Map();
  const look = async () => {
    if (control.value.length < (one.min_query_length ?? 3)) return;
    const where = place.viewId ? { viewId: place.viewId } : { channel: place.channel, ts: place.ts };
    const wanted = { element: { ...one, block_id: block.block_id }, typed: control.value, values: place.values ?? {} };
    const answer = await act({ do: 'suggest', place: where, ...wanted });
    const options = answer.ack?.options ?? (answer.ack?.option_groups ?? []).flatMap((group) => group.options);
    for (const option of options) offered.set(option.text.text, option);
    list.replaceChildren(...options.map((option) => h('option', { value: option.text.text }, option.description?.text)));
  };
  control.addEventListener('focus', () => void look());
  control.addEventListener('input', () => {
    const picked = offered.get(control.value);
    if (picked) choose(one, block, place, control, picked);
    else void look();
  });
  return h('span', {}, control, list);
}

function boxes(one, block, place, id) {
  const type = one.type === 'checkboxes' ? 'checkbox' : 'radio';
  const picked = initials(one);
  const group = h('div', { class: 'boxes', role: type === 'radio' ? 'radiogroup' : 'group', id });
  const inputs = one.options.map((option) => {
    const box = h('input', { type, name: keyOf(block, one), value: option.value, checked: picked.includes(option.value) });
    const label = h('span', {}, textObject(option.text), option.description && h('small', {}, textObject(option.description)));
    group.append(h('label', { class: 'box' }, box, label));
    return box;
  });
  group.addEventListener('change', () => {
    const chosen = inputs.filter((box) => box.checked).map((box) => box.value);
    choose(one, block, place, undefined, type === 'radio' ? chosen[0] : chosen);
  });
  return group;
}

function field(one, block, place, id) {
  const types = {
    email_text_input: 'email',
    url_text_input: 'url',
    number_input: 'number',
    datepicker: 'date',
    timepicker: 'time',
    datetimepicker: 'datetime-local',
  };
  const type = types[one.type] ?? 'text';
  const initial = one.initial_value ?? one.initial_date ?? one.initial_time ?? '';
  const props = { id, placeholder: one.placeholder?.text, maxlength: one.max_length, 'data-focus': keyOf(block, one), value: initial };
  const control = one.multiline
    ? h('textarea', { ...props, rows: 4 })
    : h('input', { ...props, type, step: one.is_decimal_allowed ? 'any' : undefined });
  const read = () => (type === 'datetime-local' ? String(Math.floor(new Date(control.value).getTime() / 1000)) : control.value);
  control.addEventListener('input', () => {
    place.values ??= {};
    place.values[keyOf(block, one)] = control.value === '' ? null : read();
  });
  control.addEventListener('change', () => {
    if (block.type !== 'input') void send(one, block, place, control, read());
  });
  return control;
}

function feedback(one, block, place) {
  const make = (part) =>
    h(
      'button',
      { type: 'button', class: 'button', onclick: () => void send(one, block, place, undefined, part.value) },
      textObject(part.text),
    );
  return h('span', {}, make(one.positive_button), make(one.negative_button));
}

/** The control for one element of a block. `id` ties it to its label. */
export function element(one, block, place, id) {
  if (one.type === 'button' || one.type === 'icon_button' || one.type === 'workflow_button') return button(one, block, place);
  if (one.type === 'overflow') return overflow(one, block, place);
  if (one.type === 'feedback_buttons') return feedback(one, block, place);
  if (one.type === 'checkboxes' || one.type === 'radio_buttons') return boxes(one, block, place, id);
  if (one.type.endsWith('external_select')) return externalSelect(one, block, place, id);
  if (one.type.endsWith('_select')) return select(one, block, place, id);
  return field(one, block, place, id);
}
