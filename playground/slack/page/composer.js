// The message box: commands with completion, history with the arrow keys, attachments.
import { attachments } from './attachments.js';
import { h, icon } from './dom.js';
import { offerList } from './offer-list.js';
import { act, store } from './store.js';
import { typedHistory } from './typed-history.js';

/** What the keys do; each answers false when the key keeps its ordinary meaning. */
function keysOf({ box, offers, history, set, submit }) {
  const recall = (by) => {
    set(history.step(by, box.value));
    offers.close();
  };
  const arrow = (by, mayStart) => {
    if (offers.isOpen()) return offers.move(by);
    return history.isBrowsing() || mayStart() ? recall(by) : false;
  };
  return {
    ArrowUp: () => arrow(-1, () => box.value === ''),
    ArrowDown: () => arrow(1, () => false),
    Tab: () => (offers.isOpen() ? offers.takeChosen() : false),
    Escape: () => (offers.isOpen() ? offers.close() : false),
    Enter: (event) => (event.shiftKey ? false : void submit()),
  };
}

/** A message box. `thread` returns the ts of the thread it writes to, or undefined for the channel. */
export function composer({ id, placeholder, thread }) {
  const box = h('textarea', {
    id,
    rows: 1,
    'aria-label': placeholder,
    placeholder,
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-controls': `${id}-offers`,
  });
  const send = h('button', { type: 'submit', class: 'icon-button send', 'aria-label': 'Send', title: 'Send' }, icon('send'));
  const history = typedHistory();
  const files = attachments(box);
  const look = () => {
    offers.look();
    box.style.height = 'auto';
    box.style.height = `${Math.min(200, box.scrollHeight)}px`;
  };
  const set = (text) => {
    box.value = text;
    box.setSelectionRange(text.length, text.length);
    look();
  };
  const offers = offerList(id, box, (text) => {
    set(text);
    box.focus();
  });
  const submit = async () => {
    const text = box.value.trim();
    if (!text && files.count() === 0) return;
    history.add(text);
    set('');
    const threadTs = thread();
    const where = { channel: store.channel, ...(threadTs ? { threadTs } : {}) };
    form.setAttribute('aria-busy', 'true');
    await act(text.startsWith('/') ? { do: 'command', text, ...where } : { do: 'say', text, files: await files.take(), ...where });
    form.removeAttribute('aria-busy');
  };
  const form = h(
    'form',
    { class: 'composer' },
    ...offers.nodes,
    files.shown,
    h('div', { class: 'row' }, files.button, files.picker, box, send),
  );
  const keys = keysOf({ box, offers, history, set, submit });
  box.addEventListener('keydown', (event) => {
    if (event.isComposing || !keys[event.key]) return;
    if (keys[event.key](event) !== false) event.preventDefault();
  });
  box.addEventListener('input', () => {
    history.leave();
    look();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  return { form, box, set };
}
