// Building elements without ever parsing text as markup.

/** h('button', { class: 'primary', onclick, 'aria-label': '…' }, 'Text', child) */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  apply(node, props);
  node.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

/** The same for SVG. */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  apply(node, props);
  node.append(...children.flat().filter(Boolean));
  return node;
}

function apply(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
}

const paths = {
  reply: 'M4 4h16v11H9l-5 4z',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M4 12l16-8-5 17-3-7z',
  attach: 'M8 12l6-6a3 3 0 014 4l-8 8a5 5 0 01-7-7l8-8',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  sun: 'M12 8a4 4 0 100 8 4 4 0 000-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5',
  moon: 'M20 14A8 8 0 0110 4a8 8 0 1010 10z',
  mesh: 'M6 3.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5M18 9a2.5 2.5 0 100 5 2.5 2.5 0 000-5M9 16a2.5 2.5 0 100 5 2.5 2.5 0 000-5M8.3 7l7.4 3.4M16 13.1l-5 3.9M6.6 8.4l1.7 7.7',
  log: 'M5 6h14M5 12h14M5 18h8',
  hash: 'M9 4L7 20M17 4l-2 16M4 9h17M3 15h17',
  check: 'M5 12l5 5 9-10',
  person: 'M12 12a4 4 0 100-8 4 4 0 000 8M4 21c1-5 15-5 16 0',
};

/** A line icon; it says nothing to screen readers, so its button needs a label. */
export function icon(name) {
  const shape = svg('path', { d: paths[name] ?? paths.more });
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, shape);
}

/** Only web addresses become links; everything else could run code. */
export function safeUrl(url) {
  return /^(https?:|mailto:)/i.test(url ?? '') ? url : undefined;
}

/** Keeps the focus where it was when a part of the page is drawn anew. */
export function replaceKeepingFocus(old, fresh) {
  const held = old.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
  old.replaceWith(fresh);
  if (held) fresh.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  return fresh;
}
