// The workspace as it is now. Tests and scenarios change people and groups while things run.
import type { Changes } from './changes.ts';
import { SlackRefusal } from './refusal.ts';
import type { Channel, SlackUser, Usergroup, Workspace } from './workspace.ts';

export class Directory {
  readonly team: Workspace['team'];
  readonly appId: string;
  readonly botId: string;
  readonly botUserId: string;
  readonly #users: Map<string, SlackUser>;
  readonly #channels: Map<string, Channel>;
  readonly #groups: Map<string, Usergroup>;
  readonly #changes: Changes;

  constructor(workspace: Workspace, changes: Changes) {
    this.team = workspace.team;
    this.appId = workspace.appId;
    this.botId = workspace.botId;
    this.botUserId = workspace.botUserId;
    this.#users = new Map(workspace.users.map((user) => [user.id, user]));
    this.#channels = new Map(workspace.channels.map((channel) => [channel.id, channel]));
    this.#groups = new Map(workspace.usergroups.map((group) => [group.id, group]));
    this.#changes = changes;
  }

  users(): readonly SlackUser[] {
    return [...this.#users.values()];
  }

  channels(): readonly Channel[] {
    return [...this.#channels.values()];
  }

  usergroups(): readonly Usergroup[] {
    return [...this.#groups.values()];
  }

  user(id: string): SlackUser {
    const user = this.#users.get(id);
    if (!user) throw new SlackRefusal('user_not_found');
    return user;
  }

  usergroup(id: string): Usergroup {
    const group = this.#groups.get(id);
    if (!group) throw new SlackRefusal('no_such_subteam');
    return group;
  }

  /** A channel by id. A user id opens (or finds) the direct message with that person, as chat.postMessage allows. */
  channel(id: string): Channel {
    const channel = this.#channels.get(id);
    if (channel) return channel;
    if (!this.#users.has(id)) throw new SlackRefusal('channel_not_found');
    return this.openDirect(id);
  }

  openDirect(user: string): Channel {
    const id = `D${user.slice(1)}`;
    const known = this.#channels.get(id);
    if (known) return known;
    const channel: Channel = { id, name: this.user(user).name, members: [user, this.botUserId], im: user };
    this.putChannel(channel);
    return channel;
  }

  putUser(user: SlackUser): void {
    this.#users.set(user.id, user);
    this.#changes.announce({ kind: 'people' });
  }

  putChannel(channel: Channel): void {
    this.#channels.set(channel.id, channel);
    this.#changes.announce({ kind: 'people' });
  }

  putUsergroup(group: Usergroup): void {
    this.#groups.set(group.id, group);
    this.#changes.announce({ kind: 'people' });
  }
}
