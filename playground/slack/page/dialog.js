// The confirm dialog of buttons, and modals.
import { h, icon } from './dom.js';
import { textObject } from './mrkdwn.js';

/** Asks before a dangerous press. Resolves true when there is nothing to ask or the person agreed. */
export function confirmed(confirm) {
  if (!confirm) return Promise.resolve(true);
  return new Promise((resolve) => {
    const yes = h(
      'button',
      { type: 'button', class: `button ${confirm.style === 'danger' ? 'danger solid' : 'primary solid'}` },
      textObject(confirm.confirm),
    );
    const no = h('button', { type: 'button', class: 'button' }, textObject(confirm.deny));
    const buttons = h('footer', {}, no, yes);
    const dialog = h(
      'dialog',
      { class: 'small', 'aria-label': confirm.title.text },
      h('header', {}, h('h2', {}, textObject(confirm.title))),
      h('div', { class: 'body' }, textObject(confirm.text)),
      buttons,
    );
    const finish = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    yes.addEventListener('click', () => finish(true));
    no.addEventListener('click', () => finish(false));
    dialog.addEventListener('cancel', () => finish(false));
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  });
}

export function closeButton(label, onclick) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick }, icon('close'));
}
