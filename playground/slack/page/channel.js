// The channel and its thread pane.

import { blocks } from './blocks.js';
import { composer } from './composer.js';
import { closeButton } from './dialog.js';
import { h, icon } from './dom.js';
import { go, HOME, on, shownMessages, store } from './store.js';
import { timeline } from './timeline.js';

const inThread = (ts) => (message) => message.thread_ts === ts || message.ts === ts;

function welcome(box) {
  const behind = ['canary backend 10%', 'enforce frontend', 'on wireguard'];
  const [first] = store.commands;
  const tries = [
    ...store.commands.map(({ command }, index) => [command, behind[index] ?? 'help'].join(' ')),
    ...(first ? [`${first.command} help`] : []),
  ];
  const one = (text) =>
    h(
      'button',
      {
        type: 'button',
        class: 'button',
        onclick: () => {
          box.set(text);
          box.box.focus();
        },
      },
      h('code', {}, text),
    );
  return h(
    'div',
    { class: 'welcome' },
    h('h2', {}, 'Nothing here yet'),
    h('p', {}, 'Type a slash command, or start with one of these:'),
    h('div', { class: 'actions' }, tries.map(one)),
  );
}

export function startChannel(root, extras) {
  const title = h('h1', {});
  const about = h('span', { class: 'muted about' });
  const head = h('header', { class: 'bar' }, h('div', { class: 'grow' }, title, about), extras);
  const list = timeline('Messages', false);
  const box = composer({ id: 'channel-input', placeholder: 'Message or /command', thread: () => undefined });
  const home = h('div', { class: 'home', 'aria-label': 'Home', tabindex: '0' });
  root.append(head, list.list, home, box.form);
  const drawHome = () => {
    const isHome = store.channel === HOME;
    home.hidden = !isHome;
    list.list.hidden = isHome;
    box.form.hidden = isHome;
    if (!isHome) return;
    title.replaceChildren('meshops');
    about.textContent = 'Home';
    const held = document.activeElement?.getAttribute?.('data-focus');
    home.replaceChildren(
      ...(store.home
        ? [blocks(store.home.blocks, { viewId: store.home.id })].flat()
        : [h('p', { class: 'muted' }, 'The app has not shown its Home yet.')]),
    );
    if (held) home.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus();
  };
  const draw = () => {
    drawHome();
    if (store.channel === HOME) return;
    const channel = store.channels.find((one) => one.id === store.channel);
    title.replaceChildren(channel?.is_im ? 'Direct message' : h('span', {}, icon('hash'), channel?.name ?? 'no channel'));
    const me = store.users.get(store.me)?.real_name ?? '';
    box.box.placeholder = `Message or /command, as ${me}`;
    about.textContent = channel && !channel.is_im ? `${channel.members.length} members` : '';
    list.draw(
      shownMessages().filter((message) => !message.thread_ts || message.thread_ts === message.ts),
      welcome(box),
    );
  };
  on('messages', draw);
  on('people', draw);
  on('home', drawHome);
  on('place', () => {
    list.reset();
    draw();
    list.list.scrollTop = list.list.scrollHeight;
  });
  return box;
}

export function startThread(root) {
  const list = timeline('Thread', true);
  const box = composer({ id: 'thread-input', placeholder: 'Reply…', thread: () => store.thread });
  const close = () => {
    document.body.dataset.pane = 'channel';
    go(store.channel, undefined);
    /** @type {HTMLElement | null} */ (document.querySelector('#channel-input'))?.focus();
  };
  root.append(
    h('header', { class: 'bar' }, h('h2', { class: 'grow' }, 'Thread'), closeButton('Close the thread', close)),
    list.list,
    box.form,
  );
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented) close();
  });
  let open;
  const draw = () => {
    root.hidden = store.thread === undefined;
    if (store.thread !== open) list.reset();
    if (store.thread === undefined) {
      open = undefined;
      return;
    }
    list.draw(shownMessages().filter(inThread(store.thread)), 'This thread is gone.');
    if (store.thread !== open) {
      list.list.scrollTop = list.list.scrollHeight;
      document.body.dataset.pane = 'thread';
    }
    open = store.thread;
  };
  on('messages', draw);
  on('place', draw);
}
