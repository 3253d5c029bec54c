// Whom a message calls: a post with a mention does, an edit never. One notification for each person and message, as Slack's clients show it.
import type { Directory } from './directory.ts';
import type { Message } from './messages.ts';

export interface Notification {
  readonly user: string;
  /** As it was posted. */
  readonly message: Message;
}

const MENTION = /<(?:@([UW][A-Z0-9]+)|!subteam\^(S[A-Z0-9]+)|!(channel|here|everyone))(?:\|[^>]*)?>/g;

/** Members of the message's channel whom it calls; a direct message calls whom it is for. Whoever wrote it is not called. */
export function calledBy(directory: Directory, message: Message): readonly string[] {
  const channel = directory.channel(message.channel);
  const words = JSON.stringify(message.blocks ?? message.text);
  const called = [...words.matchAll(MENTION)].flatMap(([, user, group, everyone]) => {
    if (everyone !== undefined) return channel.members;
    if (group !== undefined) return directory.usergroups().find(({ id }) => id === group)?.users ?? [];
    return user === undefined ? [] : [user];
  });
  const all = new Set(channel.im === undefined ? called : [channel.im]);
  const isThere = (id: string): boolean =>
    id !== message.user && channel.members.includes(id) && directory.users().some((user) => user.id === id && !user.deleted && !user.isBot);
  return [...all].filter(isThere);
}

/** Everything that has called somebody, oldest first. */
export class Notifications {
  readonly #list: Notification[] = [];
  readonly #directory: Directory;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** Of a message that was just posted. */
  add(message: Message): void {
    this.#list.push(...calledBy(this.#directory, message).map((user) => ({ user, message })));
    if (this.#list.length > MOST) this.#list.splice(0, this.#list.length - MOST);
  }

  all(): readonly Notification[] {
    return this.#list;
  }
}

const MOST = 20_000;
