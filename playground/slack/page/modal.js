// The topmost open modal, as Slack's server has it.
import { blocks } from './blocks.js';
import { closeButton } from './dialog.js';
import { h } from './dom.js';
import { textObject } from './mrkdwn.js';
import { act, on, store } from './store.js';

let shown;

function showErrors(dialog, errors) {
  for (const field of dialog.querySelectorAll('[data-block]')) {
    const text = errors[field.dataset.block];
    const place = field.querySelector('.field-error');
    place.hidden = !text;
    place.textContent = text ?? '';
    field.classList.toggle('wrong', Boolean(text));
  }
  dialog.querySelector('.wrong input, .wrong textarea, .wrong select')?.focus();
}

/** What was typed stays when the app changes an open modal, wherever the same input is still there. */
function refill(dialog, values) {
  for (const [key, value] of Object.entries(values)) {
    const control = dialog.querySelector(`[data-focus="${CSS.escape(key)}"]`);
    if (control && typeof value === 'string') control.value = value;
    else if (control && value?.text?.text) control.value = value.text.text;
  }
}

function draw(view, values) {
  const place = { viewId: view.id, values };
  const problem = h('p', { class: 'field-error', role: 'alert', hidden: true });
  const submit = view.submit && h('button', { class: 'button primary solid' }, textObject(view.submit));
  const cancel = h(
    'button',
    { type: 'button', class: 'button', onclick: () => void act({ do: 'close' }) },
    view.close ? textObject(view.close) : 'Cancel',
  );
  const head = h(
    'header',
    {},
    h('h2', {}, textObject(view.title)),
    closeButton('Close', () => void act({ do: 'close', all: true })),
  );
  const form = h(
    'form',
    { novalidate: true },
    head,
    h('div', { class: 'body' }, blocks(view.blocks, place), problem),
    h('footer', {}, cancel, submit),
  );
  const dialog = h('dialog', { class: 'modal', 'aria-label': view.title.text }, form);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    submit?.setAttribute('aria-busy', 'true');
    const outcome = await act({ do: 'submit', viewId: view.id, values: place.values });
    submit?.removeAttribute('aria-busy');
    if (outcome.errors) showErrors(dialog, outcome.errors);
    problem.hidden = !outcome.error || Boolean(outcome.errors);
    problem.textContent = outcome.error ? `We had some trouble connecting. Try again? (${outcome.error})` : '';
  });
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    void act({ do: 'close' });
  });
  return dialog;
}

export function startModal() {
  on('views', () => {
    const top = store.views.at(-1);
    if (shown && shown.id === top?.id && shown.hash === top?.hash) return;
    const values = shown && shown.id === top?.id ? shown.values : {};
    shown?.dialog.close();
    shown?.dialog.remove();
    shown = undefined;
    if (!top) return;
    const dialog = draw(top, values);
    refill(dialog, values);
    shown = { id: top.id, hash: top.hash, dialog, values };
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector('.body input, .body textarea, .body select')?.focus();
  });
}
