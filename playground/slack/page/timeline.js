// A list of messages that changes only where something changed, and stays at its end while the reader is there.
import { h, replaceKeepingFocus } from './dom.js';
import { messageNode } from './message.js';

const near = 80;

export function timeline(label, inThread) {
  const list = h('div', { class: 'timeline', role: 'log', 'aria-label': label, tabindex: '0' });
  let nodes = new Map();

  const follows = (message, before) =>
    Boolean(before) &&
    before.user === message.user &&
    !message.only_for &&
    !before.only_for &&
    Number(message.ts) - Number(before.ts) < 240;

  const draw = (messages, empty) => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < near;
    const fresh = new Map();
    for (const [index, message] of messages.entries()) {
      // A thread's root stands apart from its replies.
      const joined = !(inThread && index === 1) && follows(message, messages[index - 1]);
      const known = nodes.get(message.ts);
      if (known?.message === message && known.joined === joined) fresh.set(message.ts, known);
      else {
        const node = messageNode(message, { follows: joined, inThread, root: inThread && index === 0 });
        fresh.set(message.ts, { message, joined, node: known ? replaceKeepingFocus(known.node, node) : node });
      }
    }
    for (const [ts, known] of nodes) if (!fresh.has(ts)) known.node.remove();
    list.querySelector('.empty')?.remove();
    let last;
    for (const { node } of fresh.values()) {
      const before = last ? last.nextSibling : list.firstChild;
      if (before !== node) list.insertBefore(node, before);
      last = node;
    }
    if (fresh.size === 0) list.append(h('div', { class: 'empty' }, empty));
    nodes = fresh;
    if (atEnd) list.scrollTop = list.scrollHeight;
  };

  // The end stays in sight when the list itself gets smaller or larger.
  let stuck = true;
  let size = '';
  const sizeNow = () => `${list.clientWidth}x${list.clientHeight}`;
  list.addEventListener('scroll', () => {
    if (size === sizeNow()) stuck = list.scrollHeight - list.scrollTop - list.clientHeight < near;
  });
  new ResizeObserver(() => {
    size = sizeNow();
    if (stuck) list.scrollTop = list.scrollHeight;
  }).observe(list);

  const reset = () => {
    nodes = new Map();
    list.replaceChildren();
  };
  // Pictures that load later must not leave the end out of sight.
  list.addEventListener(
    'load',
    () => {
      if (list.scrollHeight - list.scrollTop - list.clientHeight < 500) list.scrollTop = list.scrollHeight;
    },
    true,
  );
  return { list, draw, reset };
}
