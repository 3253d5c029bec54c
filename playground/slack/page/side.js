// The workspace: channels, and the person one acts as.
import { avatar, badgeOf } from './avatar.js';
import { h, icon } from './dom.js';
import { become, go, HOME, on, store } from './store.js';
import { themeButton } from './theme.js';

/** In a narrow window a choice here leads back to the channel. */
function show(choice) {
  document.body.dataset.pane = 'channel';
  choice();
}

function channelButton(channel) {
  const current = channel.id === store.channel;
  const label = channel.is_im ? 'meshops' : channel.name;
  const mark = store.unread.has(channel.id) ? h('span', { class: 'unread' }, 'new') : undefined;
  const props = {
    type: 'button',
    class: 'item',
    'aria-current': current ? 'page' : undefined,
    onclick: () => show(() => go(channel.id, undefined)),
  };
  return h('li', {}, h('button', props, icon(channel.is_im ? 'person' : 'hash'), h('span', { class: 'grow' }, label), mark));
}

function homeButton() {
  const props = {
    type: 'button',
    class: 'item',
    'aria-current': store.channel === HOME ? 'page' : undefined,
    onclick: () => show(() => go(HOME, undefined)),
  };
  return h('li', {}, h('button', props, icon('mesh'), h('span', { class: 'grow' }, 'meshops Home')));
}

function personButton(user) {
  const chosen = user.id === store.me;
  const badge = badgeOf(user.id);
  const group = [...store.usergroups.values()].find((one) => one.users.includes(user.id));
  const detail = badge ?? (group ? group.handle : user.profile.email);
  const props = {
    type: 'button',
    class: 'item person',
    role: 'radio',
    'aria-checked': String(chosen),
    'data-focus': user.id,
    disabled: user.deleted,
    onclick: () => show(() => become(user.id)),
  };
  return h(
    'button',
    props,
    avatar(user.id),
    h('span', { class: 'grow' }, h('span', { class: 'name' }, user.real_name), h('small', {}, detail)),
    chosen ? icon('check') : undefined,
  );
}

/** Arrow keys move through the people, as in any radio group. */
function arrows(event) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = [...event.currentTarget.querySelectorAll('button:not(:disabled)')];
  const at = all.indexOf(document.activeElement);
  all[(at + step + all.length) % all.length]?.focus();
  event.preventDefault();
}

export function startSide(root) {
  const draw = () => {
    const held = document.activeElement?.getAttribute?.('data-focus');
    const people = [...store.users.values()].filter((user) => !user.is_bot);
    const group = h('div', { role: 'radiogroup', 'aria-label': 'Act as', onkeydown: arrows }, people.map(personButton));
    root.replaceChildren(
      h(
        'header',
        { class: 'bar' },
        h('img', { src: 'icon.svg', alt: '', width: 26, height: 26 }),
        h('b', { class: 'grow' }, store.team.name ?? ''),
        themeButton(),
      ),
      h(
        'div',
        { class: 'side-scroll' },
        h('h2', {}, 'Channels'),
        h('ul', {}, store.channels.map(channelButton), homeButton()),
        h('h2', {}, 'Act as'),
        group,
      ),
    );
    if (held) root.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus();
  };
  on('people', draw);
}
