// The mesh as it is now, and the switches that break and mend it.
import { closeButton } from './dialog.js';
import { h } from './dom.js';
import { spark } from './spark.js';
import { act, on, store } from './store.js';

const percent = (share) => `${Math.round(share * 1000) / 10}%`;

function bar(parts, kind, label) {
  const total = parts.reduce((sum, part) => sum + part.amount, 0) || 1;
  const piece = (part, index) =>
    h('span', {
      class: `piece b${index % 4}`,
      style: { 'flex-grow': String(part.amount / total) },
      title: `${part.name} ${percent(part.amount / total)}`,
    });
  const said = parts.map((part) => `${part.name} ${percent(part.amount / total)}`).join(', ');
  return h('div', { class: `split ${kind}`, role: 'img', 'aria-label': `${label}: ${said}` }, parts.map(piece));
}

function weights(route) {
  const total = route.backends.reduce((sum, backend) => sum + backend.weight, 0) || 1;
  const shareOf = (name) => route.inForce?.find((one) => one.name === name)?.share;
  const row = (backend, index) => {
    const real = shareOf(backend.name);
    const cells = [
      h('span', { class: `dot b${index % 4}` }),
      h('span', { class: 'grow' }, backend.name),
      h('b', {}, percent(backend.weight / total)),
    ];
    return h('li', {}, cells, h('span', { class: 'muted real' }, real === undefined ? '' : `gets ${percent(real)}`));
  };
  const asked = bar(
    route.backends.map((one) => ({ name: one.name, amount: one.weight })),
    'asked',
    'Written',
  );
  const inForce =
    route.inForce &&
    bar(
      route.inForce.map((one) => ({ name: one.name, amount: one.share })),
      'real',
      'In force',
    );
  return h('div', { class: 'route' }, h('h4', {}, route.route), asked, inForce, h('ul', { class: 'legend' }, route.backends.map(row)));
}

function rate(one) {
  const bad = one.errorsPerSecond > 0;
  const times =
    one.p50 === undefined
      ? undefined
      : h('span', { class: 'muted' }, `p50 ${Math.round(one.p50)} ms · p99 ${Math.round(one.p99 ?? one.p50)} ms`);
  const numbers = h(
    'div',
    { class: 'numbers' },
    h('span', {}, h('b', {}, one.requestsPerSecond.toFixed(0)), ' req/s'),
    h('span', { class: bad ? 'bad' : 'muted' }, h('b', {}, one.errorsPerSecond.toFixed(1)), ' errors/s'),
    times,
  );
  const label = `${one.service}: ${one.requestsPerSecond.toFixed(0)} requests and ${one.errorsPerSecond.toFixed(1)} errors per second`;
  return h('div', { class: 'rate' }, h('h4', {}, one.service), numbers, spark(store.rates.get(one.service) ?? [], label));
}

function health(list) {
  const groups = Map.groupBy(list, (one) => one.group ?? '');
  const words = { ok: 'well', warning: 'warning', bad: 'failing' };
  const one = (entry) =>
    h(
      'li',
      { class: entry.state, title: entry.detail ?? '' },
      h('span', { class: 'mark', 'aria-hidden': 'true' }),
      h('span', { class: 'grow' }, entry.name),
      h('small', {}, entry.detail ?? words[entry.state]),
    );
  return [...groups].map(([name, entries]) => h('div', {}, name && h('h4', {}, name), h('ul', { class: 'health' }, entries.map(one))));
}

async function run(action, value, control, problem) {
  control.setAttribute('aria-busy', 'true');
  const answer = await act({ do: 'panel', id: action.id, ...(value === undefined ? {} : { value }) });
  control.removeAttribute('aria-busy');
  problem.hidden = !answer.error;
  problem.textContent = answer.error ?? '';
}

/** One control, and how to bring it up to date without disturbing a hand on it. */
function control(action, problem) {
  const hint = action.hint && h('small', { class: 'hint' }, action.hint);
  if (action.kind === 'button') {
    const tone = action.tone === 'danger' ? 'danger' : action.tone === 'mend' ? 'primary' : '';
    const button = h(
      'button',
      { type: 'button', class: `button wide ${tone}`, title: action.hint, onclick: () => void run(action, undefined, button, problem) },
      action.label,
    );
    return { node: button, update: () => undefined };
  }
  if (action.kind === 'toggle') {
    const box = h('input', { type: 'checkbox', role: 'switch', onchange: () => void run(action, box.checked, box, problem) });
    return {
      node: h('label', { class: 'switch' }, h('span', { class: 'grow' }, action.label, hint), box),
      update: (value) => {
        box.checked = Boolean(value);
      },
    };
  }
  const shown = h('output', {});
  const say = () => {
    shown.textContent = `${slider.value}${action.unit ? ` ${action.unit}` : ''}`;
  };
  const slider = h('input', {
    type: 'range',
    min: action.min ?? 0,
    max: action.max ?? 100,
    step: action.step ?? 1,
    oninput: say,
    onchange: () => void run(action, Number(slider.value), slider, problem),
  });
  const update = (value) => {
    if (document.activeElement === slider && slider.matches(':active')) return;
    slider.value = String(value ?? action.min ?? 0);
    say();
  };
  return {
    node: h('label', { class: 'slider' }, h('span', { class: 'row' }, h('span', { class: 'grow' }, action.label), shown), slider, hint),
    update,
  };
}

export function startMesh(root, close) {
  const live = h('div', { class: 'live' });
  const problem = h('p', { class: 'field-error', role: 'alert', hidden: true });
  const controls = h('div', { class: 'groups' });
  const state = h('div', {});
  const known = new Map();
  root.append(
    h('header', { class: 'bar' }, h('h2', { class: 'grow' }, 'Mesh'), closeButton('Hide the mesh', close)),
    h('div', { class: 'scroll' }, live, problem, controls, state),
  );
  const build = () => {
    known.clear();
    const groups = Map.groupBy(store.panel?.actions ?? [], (action) => action.group);
    const make = (action) => {
      const made = control(action, problem);
      known.set(action.id, made);
      return made.node;
    };
    const fill = ([name, actions]) => {
      const buttons = actions.filter((action) => action.kind === 'button');
      const rest = actions.filter((action) => action.kind !== 'button');
      return h('fieldset', {}, h('legend', {}, name), h('div', { class: 'buttons' }, buttons.map(make)), rest.map(make));
    };
    controls.replaceChildren(...[...groups].map(fill));
  };
  on('panel', (fresh) => {
    if (!store.panel) return;
    if (fresh) build();
    const now = store.panel.state;
    live.replaceChildren(
      ...[now.note && h('p', { class: 'note' }, now.note), ...now.weights.map(weights), ...now.rates.map(rate)].filter(Boolean),
    );
    state.replaceChildren(...health(now.health ?? []));
    for (const [id, made] of known) made.update(now.toggles[id]);
  });
}
