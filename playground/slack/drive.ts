// The workspace for scenarios and tests: act as a person, see what a person sees, wait for what must come.
import type { WaitOptions } from './changes.ts';
import type { Core } from './core.ts';
import type { Delivered, Deliveries, SentRequest } from './delivery.ts';
import type { Message } from './messages.ts';
import type { Notification } from './notifications.ts';
import { Person } from './person.ts';
import type { OpenView } from './views.ts';
import type { Channel, SlackUser, Usergroup } from './workspace.ts';

/** A person with eyes: what they can do and what they alone see. */
export class Actor extends Person {
  readonly id: string;
  readonly #core: Core;

  constructor(core: Core, deliveries: Deliveries, id: string, options: { signal: AbortSignal; staleSession?: boolean }) {
    super(core, deliveries, id, options);
    this.id = id;
    this.#core = core;
  }

  /** Ephemeral messages this person got, oldest first. */
  ephemerals(): readonly Message[] {
    return this.#core.messages.ephemeralsOf(this.id);
  }

  /** What the app's Home shows. */
  home(): OpenView | undefined {
    return this.#core.views.home(this.id);
  }

  /** Open modals, bottom to top. */
  views(): readonly OpenView[] {
    return this.#core.views.stack(this.id);
  }
}

export class Drive {
  readonly #core: Core;
  readonly #deliveries: Deliveries;
  readonly #signal: AbortSignal;

  constructor(core: Core, deliveries: Deliveries, signal: AbortSignal) {
    this.#core = core;
    this.#deliveries = deliveries;
    this.#signal = signal;
  }

  /** Acts as this person. `staleSession` lets a deactivated or absent person act once more, to try the app's own checks. */
  as(userId: string, options: { staleSession?: boolean } = {}): Actor {
    return new Actor(this.#core, this.#deliveries, userId, { signal: this.#signal, ...options });
  }

  /** Messages of a channel outside threads, oldest first. */
  messages(channel: string): readonly Message[] {
    return this.#core.messages.all(channel).filter((message) => message.threadTs === undefined);
  }

  /** Another app of the workspace writes into a channel: metadata is whatever it likes. */
  postAsOtherApp(channel: string, message: Pick<Message, 'text'> & Partial<Pick<Message, 'metadata' | 'threadTs'>>): Message {
    return this.#core.messages.post({ ...message, channel, user: 'U0OTHERAPP', botId: 'B0OTHERAPP' });
  }

  /** What has called somebody, or this person, oldest first. */
  notifications(user?: string): readonly Notification[] {
    return this.#core.notifications.all().filter((one) => user === undefined || one.user === user);
  }

  /** The text of a file that was uploaded, by its name; the newest counts. */
  fileText(messages: readonly Message[], name: string): string | undefined {
    const file = messages.flatMap(({ files = [] }) => files).findLast((one) => (one as { name?: string }).name === name);
    return file && this.#core.files.find(String((file as { id?: string }).id))?.data?.toString('utf8');
  }

  /** A root message and its replies, oldest first; empty when there is no such message. */
  thread(channel: string, ts: string): readonly Message[] {
    const root = this.#core.messages.find(channel, ts);
    return root ? [root, ...this.#core.messages.replies(channel, ts)] : [];
  }

  /** The first truthy value of `probe`, asked now and after every change in the workspace. Rejects after 20 s by default. */
  waitFor<T>(probe: (drive: Drive) => T | undefined | null | false, options: WaitOptions = {}): Promise<T> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#signal]) : this.#signal;
    return this.#core.changes.waitFor(() => probe(this), { ...options, signal });
  }

  lastRequest(): SentRequest {
    const request = this.#deliveries.sent().at(-1);
    if (!request) throw new Error('Slack playground: nothing was delivered to the app yet, so there is nothing to replay.');
    return request;
  }

  /** Sends the identical request (same signature, same envelope id) again, so many times, one after the other. */
  async replay(request: SentRequest, times = 1): Promise<readonly Delivered[]> {
    const results: Delivered[] = [];
    for (let turn = 0; turn < times; turn += 1) results.push(await this.#deliveries.transmit(request, 'replay'));
    return results;
  }

  /** Changes a person, for example `{ deleted: true }` while an approval is pending. */
  setUser(id: string, change: Partial<SlackUser>): void {
    this.#core.directory.putUser({ ...this.#core.directory.user(id), ...change });
  }

  /** Another person comes into the workspace and a channel. */
  join(user: SlackUser, channelId: string): void {
    const channel = this.#core.directory.channel(channelId);
    this.#core.directory.putUser(user);
    this.#core.directory.putChannel({ ...channel, members: [...channel.members, user.id] });
  }

  setUsergroup(id: string, change: Partial<Usergroup>): void {
    this.#core.directory.putUsergroup({ ...this.#core.directory.usergroup(id), ...change });
  }

  /** Adds a channel or replaces one. */
  putChannel(channel: Channel): void {
    this.#core.directory.putChannel(channel);
  }
}
