// The list above the message box: what could be meant by what was typed so far.
import { offersFor, usageFor } from './completion.js';
import { h } from './dom.js';

/** `take(text)` puts an offer into the box. */
export function offerList(id, box, take) {
  const list = h('ul', { id: `${id}-offers`, class: 'offers', role: 'listbox', hidden: true });
  const usage = h('p', { class: 'usage', 'aria-live': 'polite' });
  let offers = [];
  let at = 0;

  const item = (offer, index) => {
    const pick = (event) => {
      event.preventDefault();
      take(offer.insert);
    };
    const props = { role: 'option', id: `${id}-offer-${index}`, 'aria-selected': String(index === at), onmousedown: pick };
    return h('li', props, h('code', {}, offer.label), h('span', { class: 'muted' }, offer.detail));
  };
  const draw = () => {
    list.hidden = offers.length === 0;
    list.replaceChildren(...offers.map(item));
    list.children[at]?.scrollIntoView({ block: 'nearest' });
    if (offers.length > 0) box.setAttribute('aria-activedescendant', `${id}-offer-${at}`);
    else box.removeAttribute('aria-activedescendant');
  };
  box.addEventListener('blur', () => {
    list.hidden = true;
  });
  return {
    nodes: [list, usage],
    isOpen: () => offers.length > 0 && !list.hidden,
    look: () => {
      offers = offersFor(box.value);
      at = 0;
      usage.textContent = offers.length === 0 ? (usageFor(box.value) ?? '') : '';
      draw();
    },
    close: () => {
      offers = [];
      draw();
    },
    move: (step) => {
      at = (at + step + offers.length) % offers.length;
      draw();
    },
    takeChosen: () => take(offers[at].insert),
  };
}
