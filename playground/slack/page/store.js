// What the page knows, and the live stream that keeps it so.

/** Where a channel's id would stand, when the app's Home is shown. */
export const HOME = 'home';

/** What came over the stream, as `page-stream.ts` writes it. @typedef {Record<string, any>} Wire */

export const store = {
  me: sessionStorage.getItem('as') ?? 'U0OPERATOR',
  channel: sessionStorage.getItem('channel') ?? '',
  /** @type {string | undefined} */
  thread: undefined,
  /** @type {Wire} */
  team: {},
  users: new Map(),
  /** @type {Wire[]} */
  channels: [],
  usergroups: new Map(),
  /** @type {Wire[]} */
  commands: [],
  /** @type {Wire[]} */
  shortcuts: [],
  messages: new Map(),
  dismissed: new Set(),
  unread: new Set(),
  /** @type {Wire[]} */
  views: [],
  /** @type {Wire | null} */
  home: null,
  /** @type {Wire[]} */
  calls: [],
  refused: 0,
  duplicates: 0,
  /** @type {Wire} */
  faults: {},
  /** @type {Wire | undefined} */
  panel: undefined,
  rates: new Map(),
};

const listeners = new Map();
let stream;

/** Calls back on: people, messages, views, calls, faults, panel, place, online. */
export function on(topic, listener) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
}

export function tell(topic, detail) {
  for (const listener of listeners.get(topic) ?? []) listener(detail);
}

const keyOf = (message) => `${message.channel}/${message.ts}`;

function takePeople(data) {
  store.team = data.team;
  store.users = new Map(data.users.map((user) => [user.id, user]));
  store.usergroups = new Map(data.usergroups.map((group) => [group.id, group]));
  store.channels = data.channels.filter((channel) => channel.members.includes(store.me));
  store.commands = data.commands;
  store.shortcuts = data.shortcuts;
  if (store.channel !== HOME && !store.channels.some((channel) => channel.id === store.channel))
    store.channel = store.channels[0]?.id ?? '';
}

function takeSnapshot(data) {
  store.me = data.me;
  takePeople(data);
  store.messages = new Map(data.messages.map((message) => [keyOf(message), message]));
  store.views = data.views;
  store.home = data.home;
  store.calls = data.calls;
  store.refused = Object.values(data.counts).reduce((sum, count) => sum + count.refused, 0);
  store.duplicates = data.duplicates;
  store.faults = data.faults;
  store.panel = data.panel ?? undefined;
  store.rates = new Map(Object.entries(store.panel?.history ?? {}));
  for (const topic of ['online', 'people', 'place', 'messages', 'views', 'home', 'calls', 'faults', 'panel']) tell(topic, true);
  if (store.channel === HOME) void act({ do: 'home' });
}

/** The last two minutes of rates, for the small charts. */
function remember(state) {
  const now = Date.now();
  for (const rate of state.rates) {
    const kept = (store.rates.get(rate.service) ?? []).filter((point) => now - point.at < 120_000);
    store.rates.set(rate.service, [...kept, { at: now, requests: rate.requestsPerSecond, errors: rate.errorsPerSecond }].slice(-1200));
  }
}

const handlers = {
  snapshot: takeSnapshot,
  people: (data) => {
    takePeople(data);
    tell('people');
    tell('messages');
  },
  message: (message) => {
    const isNew = !store.messages.has(keyOf(message));
    store.messages.set(keyOf(message), message);
    if (isNew && message.channel !== store.channel) store.unread.add(message.channel);
    tell('messages', message);
    if (isNew) tell('people');
  },
  'message-gone': (message) => {
    store.messages.delete(keyOf(message));
    tell('messages', message);
  },
  views: (views) => {
    store.views = views;
    tell('views');
  },
  home: (home) => {
    store.home = home;
    tell('home');
  },
  call: ({ entry, duplicates }) => {
    store.calls = [...store.calls, entry].slice(-300);
    store.duplicates = duplicates;
    if (!entry.ok) store.refused += 1;
    tell('calls');
  },
  faults: (faults) => {
    store.faults = faults;
    tell('faults');
  },
  panel: (state) => {
    if (!store.panel) return;
    store.panel = { ...store.panel, state };
    remember(state);
    tell('panel');
  },
};

/** Opens the stream as the present person; closes an earlier one. */
export function connect() {
  stream?.close();
  stream = new EventSource(`/page/stream?as=${encodeURIComponent(store.me)}`);
  for (const [event, handler] of Object.entries(handlers)) stream.addEventListener(event, (news) => handler(JSON.parse(news.data)));
  stream.addEventListener('error', () => tell('online', false));
}

export function become(user) {
  store.me = user;
  sessionStorage.setItem('as', user);
  connect();
}

export function go(channel, thread) {
  store.channel = channel;
  store.thread = thread;
  store.unread.delete(channel);
  sessionStorage.setItem('channel', channel);
  if (channel === HOME) void act({ do: 'home' });
  tell('place');
  tell('people');
  tell('messages');
}

/** Performs one act as the present person. Resolves with its outcome; `{ error }` when it was refused. */
export async function act(wanted) {
  try {
    const body = JSON.stringify({ as: store.me, ...wanted });
    const response = await fetch('/page/act', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return await response.json();
  } catch {
    return { ok: false, error: 'The playground does not answer.' };
  }
}

export function shownMessages() {
  const here = [...store.messages.values()].filter((message) => message.channel === store.channel && !store.dismissed.has(message.ts));
  return here.sort((one, other) => (one.ts < other.ts ? -1 : 1));
}
