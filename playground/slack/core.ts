// The parts of the workspace that every door (Web API, deliveries, page, drive) works on.
import { CallLog } from './call-log.ts';
import type { Changes } from './changes.ts';
import { Directory } from './directory.ts';
import type { Faults } from './faults.ts';
import { Files } from './files.ts';
import type { Limits } from './limits.ts';
import { type Json, type Message, Messages, messageObject } from './messages.ts';
import { Notifications } from './notifications.ts';
import { Rate } from './rate.ts';
import { SlackRefusal } from './refusal.ts';
import { Tickets } from './tickets.ts';
import { Views } from './views.ts';
import type { Channel, Workspace } from './workspace.ts';

export interface SlashCommand {
  readonly command: string;
  readonly description: string;
  readonly usage: string;
  /** Slack's "Escape channels, users, and links": on turns @name into <@U…|name>. Off by default, as in Slack. */
  readonly shouldEscape?: boolean;
}

export interface MessageShortcut {
  readonly name: string;
  readonly callbackId: string;
}

/** The app as it is registered with Slack. */
export interface SlackApp {
  readonly signingSecret: string;
  readonly botToken: string;
  readonly appToken?: string;
  readonly requestUrl?: string;
  readonly slashCommands: readonly SlashCommand[];
  readonly messageShortcuts?: readonly MessageShortcut[];
  readonly socketMode?: boolean;
  /** When given, methods need their scope and answer missing_scope without it. */
  readonly scopes?: readonly string[];
}

export interface Core {
  readonly app: SlackApp;
  readonly now: () => number;
  readonly limits: Limits;
  readonly changes: Changes;
  readonly directory: Directory;
  readonly messages: Messages;
  readonly notifications: Notifications;
  readonly views: Views;
  readonly files: Files;
  readonly tickets: Tickets;
  readonly rate: Rate;
  readonly log: CallLog;
  readonly faults: Faults;
  /** Origin of the Web API server, known once it listens. */
  readonly apiOrigin: () => string;
  /** Makes a Socket Mode URL for one connection. Throws when Socket Mode is off. */
  readonly socketUrl: () => string;
}

export function createCore(
  parts: Pick<Core, 'app' | 'now' | 'limits' | 'changes' | 'faults' | 'apiOrigin' | 'socketUrl'>,
  workspace: Workspace,
): Core {
  const { changes, limits, now } = parts;
  const directory = new Directory(workspace, changes);
  return {
    ...parts,
    directory,
    messages: new Messages(changes, now),
    notifications: new Notifications(directory),
    views: new Views(changes, limits, now),
    files: new Files(),
    tickets: new Tickets(limits, now),
    rate: new Rate(limits, now),
    log: new CallLog(changes, now),
  };
}

/** A message as Slack's API shows it. */
export function shownMessage(core: Core, message: Message, withMetadata = false): Json {
  const { team, appId } = core.directory;
  const replies = message.onlyFor ? [] : core.messages.replies(message.channel, message.ts);
  return messageObject(message, replies, withMetadata, { team: team.id, app: appId });
}

/** A channel the bot may write to. Throws channel_not_found, is_archived or not_in_channel. */
export function writableChannel(core: Core, id: string): Channel {
  const channel = core.directory.channel(id);
  if (channel.isArchived) throw new SlackRefusal('is_archived');
  if (!channel.members.includes(core.directory.botUserId)) throw new SlackRefusal('not_in_channel');
  return channel;
}
