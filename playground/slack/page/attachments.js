// Files chosen for the next message.
import { h, icon } from './dom.js';

const most = 5;

async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { name: file.name, base64: btoa(text) };
}

export function attachments(box) {
  const shown = h('div', { class: 'chosen' });
  const picker = h('input', { type: 'file', hidden: true, multiple: true, tabindex: '-1', 'aria-label': 'Attach a file' });
  const props = {
    type: 'button',
    class: 'icon-button',
    'aria-label': 'Attach a file',
    title: 'Attach a file',
    onclick: () => picker.click(),
  };
  const button = h('button', props, icon('attach'));
  let files = [];
  const chip = (file) => {
    const drop = () => {
      files = files.filter((one) => one !== file);
      draw();
    };
    return h(
      'span',
      { class: 'chip' },
      file.name,
      h('button', { type: 'button', class: 'link', 'aria-label': `Remove ${file.name}`, onclick: drop }, '×'),
    );
  };
  const draw = () => shown.replaceChildren(...files.map(chip));
  picker.addEventListener('change', () => {
    files = [...files, ...picker.files].slice(0, most);
    picker.value = '';
    draw();
    box.focus();
  });
  return {
    shown,
    picker,
    button,
    count: () => files.length,
    /** Hands the files over and forgets them. */
    async take() {
      const taken = files;
      files = [];
      draw();
      return Promise.all(taken.map(base64));
    },
  };
}
