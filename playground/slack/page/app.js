// Puts the page together.
import { startCalls } from './calls.js';
import { startChannel, startThread } from './channel.js';
import { h, icon } from './dom.js';
import { startMesh } from './mesh.js';
import { startModal } from './modal.js';
import { startSide } from './side.js';
import { connect, on, store } from './store.js';
import './theme.js';

/** Every part of the page stands in index.html. */
const part = (id) => /** @type {HTMLElement} */ (document.querySelector(`#${id}`));
const [side, channel, thread] = [part('side'), part('channel'), part('thread')];
const [mesh, calls, tabs] = [part('mesh'), part('calls'), part('tabs')];
const wide = matchMedia('(min-width: 900px)');

const meshButton = h('button', { type: 'button', class: 'button', 'aria-controls': 'mesh' }, icon('mesh'), h('span', {}, 'Mesh'));
const callsButton = h('button', { type: 'button', class: 'button', 'aria-controls': 'calls' }, icon('log'), h('span', {}, 'Calls'));
const refusedMark = h('span', { class: 'unread', hidden: true });
callsButton.append(refusedMark);

let meshOpen = sessionStorage.getItem('mesh') !== 'closed';

function place() {
  const pane = document.body.dataset.pane;
  mesh.hidden = !store.panel || (wide.matches && !meshOpen);
  meshButton.hidden = !store.panel;
  meshButton.setAttribute('aria-expanded', String(!mesh.hidden));
  callsButton.setAttribute('aria-expanded', String(!calls.hidden));
  for (const tab of /** @type {Iterable<HTMLElement>} */ (tabs.children)) {
    if (tab.dataset.pane === pane) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
    tab.hidden = (tab.dataset.pane === 'thread' && store.thread === undefined) || (tab.dataset.pane === 'mesh' && !store.panel);
  }
}

function toggleMesh() {
  meshOpen = !meshOpen;
  sessionStorage.setItem('mesh', meshOpen ? 'open' : 'closed');
  place();
}

/** @type {() => void} */
let drawCalls = () => undefined;
function toggleCalls() {
  calls.hidden = !calls.hidden;
  drawCalls();
  place();
}

const panes = [
  ['side', 'person', 'People'],
  ['channel', 'hash', 'Channel'],
  ['thread', 'reply', 'Thread'],
  ['mesh', 'mesh', 'Mesh'],
  ['calls', 'log', 'Calls'],
];
tabs.append(
  ...panes.map(([pane, name, label]) => {
    const show = () => {
      document.body.dataset.pane = pane;
      if (pane === 'calls') calls.hidden = false;
      drawCalls();
      place();
    };
    return h('button', { type: 'button', 'data-pane': pane, onclick: show }, icon(name), label);
  }),
);

meshButton.addEventListener('click', toggleMesh);
callsButton.addEventListener('click', toggleCalls);
startSide(side);
const box = startChannel(channel, [meshButton, callsButton]);
startThread(thread);
startMesh(mesh, toggleMesh);
drawCalls = startCalls(calls, toggleCalls);
startModal();

for (const topic of ['panel', 'place']) on(topic, place);
on('calls', () => {
  refusedMark.hidden = store.refused === 0;
  refusedMark.textContent = String(store.refused);
});
on('online', (online) => {
  part('offline').hidden = online;
});
wide.addEventListener('change', place);
new MutationObserver(place).observe(document.body, { attributes: true, attributeFilter: ['data-pane'] });
connect();
if (wide.matches) box.box.focus();
