// The message box: commands with completion, history with the arrow keys, attachments.
import { offersFor, usageFor } from './completion.js';
import { h, icon } from './dom.js';
import { act, store } from './store.js';

const historyKey = 'history';
const history = JSON.parse(sessionStorage.getItem(historyKey) ?? '[]');

function remember(text) {
  if (history.at(-1) !== text) history.push(text);
  sessionStorage.setItem(historyKey, JSON.stringify(history.slice(-50)));
}

async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { name: file.name, base64: btoa(text) };
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
  const list = h('ul', { id: `${id}-offers`, class: 'offers', role: 'listbox', hidden: true });
  const usage = h('p', { class: 'usage', 'aria-live': 'polite' });
  const chosen = h('div', { class: 'chosen' });
  const picker = h('input', { type: 'file', hidden: true, multiple: true, tabindex: '-1', 'aria-label': 'Attach a file' });
  const attach = h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': 'Attach a file', title: 'Attach a file', onclick: () => picker.click() },
    icon('attach'),
  );
  const send = h('button', { type: 'submit', class: 'icon-button send', 'aria-label': 'Send', title: 'Send' }, icon('send'));
  const state = { offers: [], at: 0, past: history.length, draft: '', files: [] };

  const size = () => {
    box.style.height = 'auto';
    box.style.height = `${Math.min(200, box.scrollHeight)}px`;
  };
  const set = (text) => {
    box.value = text;
    box.setSelectionRange(text.length, text.length);
    look();
  };
  const take = (offer) => {
    set(offer.insert);
    box.focus();
  };
  const drawOffers = () => {
    list.hidden = state.offers.length === 0;
    list.replaceChildren(
      ...state.offers.map((offer, index) => {
        const pick = (event) => {
          event.preventDefault();
          take(offer);
        };
        return h(
          'li',
          { role: 'option', id: `${id}-offer-${index}`, 'aria-selected': String(index === state.at), onmousedown: pick },
          h('code', {}, offer.label),
          h('span', { class: 'muted' }, offer.detail),
        );
      }),
    );
    list.children[state.at]?.scrollIntoView({ block: 'nearest' });
    if (state.offers.length > 0) box.setAttribute('aria-activedescendant', `${id}-offer-${state.at}`);
    else box.removeAttribute('aria-activedescendant');
  };
  const look = () => {
    state.offers = offersFor(box.value);
    state.at = 0;
    const form = usageFor(box.value);
    usage.textContent = state.offers.length === 0 && form ? form : '';
    drawOffers();
    size();
  };
  const drawFiles = () => {
    const drop = (file) => () => {
      state.files = state.files.filter((one) => one !== file);
      drawFiles();
    };
    chosen.replaceChildren(
      ...state.files.map((file) =>
        h(
          'span',
          { class: 'chip' },
          file.name,
          h('button', { type: 'button', class: 'link', 'aria-label': `Remove ${file.name}`, onclick: drop(file) }, '×'),
        ),
      ),
    );
  };
  const submit = async () => {
    const text = box.value.trim();
    if (!text && state.files.length === 0) return;
    if (text) remember(text);
    state.past = history.length;
    const files = await Promise.all(state.files.map(base64));
    state.files = [];
    drawFiles();
    set('');
    const threadTs = thread();
    const where = { channel: store.channel, ...(threadTs ? { threadTs } : {}) };
    form.setAttribute('aria-busy', 'true');
    await act(text.startsWith('/') ? { do: 'command', text, ...where } : { do: 'say', text, files, ...where });
    form.removeAttribute('aria-busy');
  };
  const recall = (step) => {
    if (state.past === history.length) state.draft = box.value;
    state.past = Math.max(0, Math.min(history.length, state.past + step));
    set(history[state.past] ?? state.draft);
    state.offers = [];
    drawOffers();
  };
  const keys = {
    ArrowUp: () => (state.offers.length > 0 ? move(-1) : box.value === '' || state.past < history.length ? recall(-1) : false),
    ArrowDown: () => (state.offers.length > 0 ? move(1) : state.past < history.length ? recall(1) : false),
    Tab: () => (state.offers.length > 0 ? take(state.offers[state.at]) : false),
    Escape: () => {
      state.offers = [];
      drawOffers();
    },
    Enter: (event) => (event.shiftKey ? false : void submit()),
  };
  const move = (step) => {
    state.at = (state.at + step + state.offers.length) % state.offers.length;
    drawOffers();
  };
  box.addEventListener('keydown', (event) => {
    if (event.isComposing || !keys[event.key]) return;
    if (keys[event.key](event) !== false) event.preventDefault();
  });
  box.addEventListener('input', () => {
    state.past = history.length;
    look();
  });
  box.addEventListener('blur', () => {
    list.hidden = true;
  });
  picker.addEventListener('change', () => {
    state.files = [...state.files, ...picker.files].slice(0, 5);
    picker.value = '';
    drawFiles();
    box.focus();
  });
  const form = h('form', { class: 'composer' }, list, usage, chosen, h('div', { class: 'row' }, attach, picker, box, send));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  return { form, box, set };
}
