// The live stream of the page (server-sent events): a snapshot first, then every change as it happens.
import type { ServerResponse } from 'node:http';
import type { CallEntry } from './call-log.ts';
import type { Change } from './changes.ts';
import { type Core, shownMessage } from './core.ts';
import type { Json, Message } from './messages.ts';
import type { PageParts } from './page-server.ts';
import type { RateHistory } from './rate-history.ts';
import { viewObject } from './views.ts';
import { channelObject, userObject } from './workspace.ts';

/** A client that does not read is dropped when so many bytes wait for it; it reconnects to a fresh snapshot. */
const maxWaiting = 4 * 1024 * 1024;
const snapshotMessages = 500;
const snapshotCalls = 200;

function pageMessage(core: Core, message: Message): Json {
  return { ...shownMessage(core, message, true), channel: message.channel, only_for: message.onlyFor ?? null };
}

function people(core: Core): Json {
  const { directory, app } = core;
  return {
    team: directory.team,
    bot: directory.botUserId,
    users: directory.users().map(userObject),
    channels: directory
      .channels()
      .map((channel) => ({ ...channelObject(channel, directory.botUserId, directory.team.id), members: channel.members })),
    usergroups: directory.usergroups(),
    commands: app.slashCommands,
    shortcuts: app.messageShortcuts ?? [],
  };
}

function views(core: Core, user: string): readonly Json[] {
  const { team, appId, botId } = core.directory;
  return core.views.stack(user).map((open) => viewObject(open, { team: team.id, app: appId, bot: botId }));
}

function home(core: Core, user: string): Json | null {
  const { team, appId, botId } = core.directory;
  const shown = core.views.home(user);
  return shown ? viewObject(shown, { team: team.id, app: appId, bot: botId }) : null;
}

function snapshot(parts: PageParts, history: RateHistory, user: string): Json {
  const { core, panel } = parts;
  const seen = core.directory.channels().filter((channel) => channel.members.includes(user));
  const messages = seen.flatMap((channel) => core.messages.all(channel.id).slice(-snapshotMessages));
  return {
    ...people(core),
    me: user,
    messages: [...messages, ...core.messages.ephemeralsOf(user)].map((message) => pageMessage(core, message)),
    views: views(core, user),
    home: home(core, user),
    calls: core.log.entries().slice(-snapshotCalls),
    counts: core.log.counts(),
    duplicates: core.log.duplicatePosts().length,
    faults: core.faults.state,
    panel: panel ? { actions: panel.actions, state: panel.state(), history: history.all() } : null,
  };
}

/** What this person's page hears of a change; undefined when it does not concern them. */
function told(core: Core, user: string, change: Change): readonly [event: string, data: unknown] | undefined {
  switch (change.kind) {
    case 'message':
    case 'message-gone': {
      const { message } = change;
      const hidden =
        message.onlyFor === undefined ? !core.directory.channel(message.channel).members.includes(user) : message.onlyFor !== user;
      return hidden ? undefined : [change.kind, pageMessage(core, message)];
    }
    case 'views':
      return change.user === user ? ['views', views(core, user)] : undefined;
    case 'home':
      return change.user === user ? ['home', home(core, user)] : undefined;
    case 'people':
      return ['people', people(core)];
    case 'faults':
      return ['faults', core.faults.state];
    case 'call':
      return ['call', { entry: change.entry satisfies CallEntry, duplicates: core.log.duplicatePosts().length }];
    case 'sockets':
      return undefined;
    default:
      return change satisfies never;
  }
}

/** Streams until the page goes away or the playground stops. */
export function streamTo(parts: PageParts, history: RateHistory, asked: string, response: ServerResponse): void {
  const { core, panel, signal } = parts;
  const user = core.directory.users().some((one) => one.id === asked) ? asked : (core.directory.users()[0]?.id ?? '');
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (event: string, data: unknown): void => {
    if (response.writableLength > maxWaiting) response.destroy();
    else response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const leave = [
    core.changes.subscribe((change) => {
      const news = told(core, user, change);
      if (news) send(...news);
    }),
    panel?.subscribe((state) => send('panel', state)),
  ];
  const end = (): void => {
    response.end();
  };
  signal.addEventListener('abort', end, { once: true });
  response.on('close', () => {
    for (const unsubscribe of leave) unsubscribe?.();
    signal.removeEventListener('abort', end);
  });
  send('snapshot', snapshot(parts, history, user));
}
