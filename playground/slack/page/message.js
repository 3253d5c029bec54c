// One message: author, time, content, files, reactions, its thread and what can be done with it.
import { avatar, badgeOf, nameOf } from './avatar.js';
import { blocks } from './blocks.js';
import { h, icon } from './dom.js';
import { openMenu } from './elements.js';
import { emoji } from './emoji.js';
import { mrkdwn } from './mrkdwn.js';
import { act, go, store, tell } from './store.js';

const clock = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString(undefined, { timeStyle: 'short' });

export function timeOf(ts) {
  const date = new Date(Number(ts) * 1000);
  return h('time', { datetime: date.toISOString(), title: date.toLocaleString() }, clock(ts));
}

function fileCard(file) {
  const url = `/page/files/${file.id}`;
  if (file.mimetype.startsWith('image/')) {
    const picture = h('img', { src: url, alt: file.alt_txt ?? file.title, loading: 'lazy' });
    return h('figure', { class: 'file-image' }, h('figcaption', {}, file.title), h('a', { href: url, target: '_blank' }, picture));
  }
  const size = file.size < 1024 ? `${file.size} bytes` : `${(file.size / 1024).toFixed(1)} KiB`;
  return h(
    'a',
    { class: 'file-card', href: url, target: '_blank' },
    icon('attach'),
    h('span', {}, h('b', {}, file.title), h('small', {}, size)),
  );
}

function reactions(message) {
  if (!message.reactions?.length) return undefined;
  const one = (entry) =>
    h(
      'span',
      { class: 'reaction', title: `${entry.users.map(nameOf).join(', ')}: ${entry.name}` },
      `${emoji(entry.name) ?? `:${entry.name}:`} ${entry.count}`,
    );
  return h('div', { class: 'reactions' }, message.reactions.map(one));
}

function threadLink(message) {
  const count = message.reply_count ?? 0;
  if (count === 0) return undefined;
  const faces = message.reply_users.slice(0, 3).map(avatar);
  const label = `${count} ${count === 1 ? 'reply' : 'replies'}`;
  const open = () => go(store.channel, message.ts);
  return h(
    'button',
    { type: 'button', class: 'thread-link', 'data-focus': 'thread', onclick: open },
    faces,
    h('b', {}, label),
    h('span', { class: 'muted' }, 'last at ', timeOf(message.latest_reply)),
  );
}

function shortcuts(message) {
  if (store.shortcuts.length === 0) return [];
  const menu = h('div', { class: 'menu', role: 'menu', popover: 'auto' });
  const use = (callbackId) => () => {
    menu.hidePopover();
    void act({ do: 'shortcut', channel: message.channel, ts: message.ts, callbackId });
  };
  menu.append(...store.shortcuts.map((one) => h('button', { type: 'button', role: 'menuitem', onclick: use(one.callbackId) }, one.name)));
  const opener = h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': 'More actions', title: 'More actions', 'aria-haspopup': 'menu' },
    icon('more'),
  );
  opener.addEventListener('click', () => openMenu(menu, opener));
  return [opener, menu];
}

function tools(message, inThread) {
  const reply = () => go(store.channel, message.thread_ts ?? message.ts);
  const button = h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': 'Reply in thread', title: 'Reply in thread', onclick: reply },
    icon('reply'),
  );
  return h('div', { class: 'tools' }, inThread ? undefined : button, shortcuts(message));
}

function dismiss(message) {
  const away = () => {
    store.dismissed.add(message.ts);
    tell('messages');
  };
  return h(
    'div',
    { class: 'only-you' },
    icon('person'),
    'Only visible to you',
    h('button', { type: 'button', class: 'link', onclick: away }, 'Dismiss'),
  );
}

function content(message) {
  const place = { channel: message.channel, ts: message.ts };
  const body = message.blocks?.length ? blocks(message.blocks, place) : [h('div', { class: 'text' }, mrkdwn(message.text))];
  const edited = message.edited ? h('span', { class: 'edited' }, '(edited)') : undefined;
  return [...body, edited, ...(message.files ?? []).map(fileCard)];
}

/** `follows`: the same author wrote just before, so the name need not be said again. */
export function messageNode(message, { follows, inThread, root }) {
  const ephemeral = Boolean(message.only_for);
  const badge = badgeOf(message.user);
  const kinds = ['message', root && 'root', follows && 'follows', ephemeral && 'ephemeral', message.user === 'USLACKBOT' && 'system']
    .filter(Boolean)
    .join(' ');
  const head = h(
    'div',
    { class: 'head' },
    h('b', { class: 'author' }, nameOf(message.user)),
    badge && h('span', { class: 'badge' }, badge),
    timeOf(message.ts),
  );
  const left = follows ? h('span', { class: 'aside-time', 'aria-hidden': 'true' }, clock(message.ts)) : avatar(message.user);
  const rest = [content(message), reactions(message), inThread ? undefined : threadLink(message), ephemeral && dismiss(message)];
  const body = h('div', { class: 'content' }, follows ? undefined : head, ...rest.flat());
  return h(
    'article',
    { class: kinds, 'data-ts': message.ts, 'aria-label': `${nameOf(message.user)}, ${clock(message.ts)}` },
    left,
    body,
    ephemeral ? undefined : tools(message, inThread),
  );
}
