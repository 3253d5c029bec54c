// What the app asked of Slack and what was refused; and switches that make Slack itself misbehave.
import { closeButton } from './dialog.js';
import { h } from './dom.js';
import { act, on, store } from './store.js';

const arrows = { in: ['→', 'app to Slack'], out: ['←', 'Slack to app'], person: ['·', 'person'] };
const faults = [
  { id: 'rateLimited', label: '429 storm', on: (state) => Boolean(state.rateLimited) },
  { id: 'slow', label: 'Slow (1.5 s)', on: (state) => state.slowMs > 0 },
  { id: 'dropAfterPost', label: 'Cut the next post after storing it', on: (state) => state.dropAfterPost > 0 },
  { id: 'down', label: 'Slack answers 500', on: (state) => state.down === '500' },
  { id: 'refuse', label: 'Slack unreachable', on: (state) => state.down === 'refuse' },
];

function row(entry) {
  const [arrow, said] = arrows[entry.direction];
  const time = new Date(entry.at).toLocaleTimeString(undefined, { hour12: false });
  const cells = [time, h('span', { title: said, 'aria-label': said, role: 'img' }, arrow), entry.method, `${Math.round(entry.ms)} ms`];
  const detail = entry.refusal ? h('span', { class: 'bad' }, entry.refusal) : entry.summary;
  return h(
    'tr',
    { class: entry.ok ? '' : 'refused' },
    cells.map((cell) => h('td', {}, cell)),
    h('td', { class: 'wide' }, detail),
  );
}

export function startCalls(root, close) {
  const body = h('tbody', {});
  const only = h('input', { type: 'checkbox', onchange: () => draw() });
  const counts = h('span', { class: 'muted grow' });
  const switches = h('div', { class: 'faults', role: 'group', 'aria-label': 'Slack faults' });
  const names = ['Time', '', 'Call', 'Took', 'Detail'];
  const table = h(
    'div',
    { class: 'scroll' },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          names.map((name) => h('th', {}, name)),
        ),
      ),
      body,
    ),
  );
  const filter = h('label', { class: 'box' }, only, h('span', {}, 'Refused only'));
  root.append(
    h('header', { class: 'bar' }, h('h2', {}, 'Slack calls'), counts, filter, closeButton('Hide the calls', close)),
    switches,
    table,
  );
  const draw = () => {
    counts.textContent = `${store.refused} refused · ${store.duplicates} duplicate posts`;
    if (root.hidden) return;
    const wanted = only.checked ? store.calls.filter((entry) => !entry.ok) : store.calls;
    body.replaceChildren(...wanted.slice(-150).toReversed().map(row));
  };
  on('calls', draw);
  on('faults', () => {
    const one = (fault) => {
      const box = h('input', {
        type: 'checkbox',
        role: 'switch',
        onchange: () => void act({ do: 'fault', fault: fault.id, on: box.checked }),
      });
      box.checked = fault.on(store.faults);
      return h('label', { class: 'switch' }, h('span', {}, fault.label), box);
    };
    switches.replaceChildren(...faults.map(one));
  });
  return draw;
}
