// One person at the page: types commands, presses buttons, fills in modals. Slack's own checks come before the app hears of it.
import { showAnswer, tell } from './answers.ts';
import { isRecord } from './block-kit/checks.ts';
import { type ElementChoice, findElement, suggestions } from './block-kit/elements.ts';
import type { Core } from './core.ts';
import type { Delivered, Deliveries } from './delivery.ts';
import { actionOf, type Entered, stateOf, type Values } from './element-state.ts';
import { escapeCommandText } from './escape.ts';
import { sendEvent } from './events.ts';
import { fileObject } from './files.ts';
import type { Json, Message } from './messages.ts';
import { closeModal, submitModal } from './modal.ts';
import { type Outcome, outcomeOf, refusedOutcome } from './outcome.ts';
import {
  commandPayload,
  homePayload,
  mentionPayload,
  messageActionsPayload,
  shortcutPayload,
  suggestionPayload,
  viewActionsPayload,
  viewPlace,
} from './payloads.ts';
import { SlackRefusal } from './refusal.ts';
import type { Channel, SlackUser } from './workspace.ts';

export interface ClickOptions {
  /** What was chosen, for selects and overflow menus. */
  readonly value?: Entered;
  /** Present values of the other inputs of the message. */
  readonly values?: Values;
}

export class Person {
  readonly #core: Core;
  readonly #deliveries: Deliveries;
  readonly #id: string;
  readonly #staleSession: boolean;
  readonly #signal: AbortSignal;

  constructor(core: Core, deliveries: Deliveries, id: string, options: { signal: AbortSignal; staleSession?: boolean }) {
    this.#core = core;
    this.#deliveries = deliveries;
    this.#id = id;
    this.#staleSession = options.staleSession ?? false;
    this.#signal = options.signal;
  }

  /** Types a slash command, such as `/mesh canary backend 10%`. In a thread Slack refuses it. */
  async command(channelId: string, line: string, options: { threadTs?: string } = {}): Promise<Outcome> {
    return this.#attempt('slash_commands', { channel: channelId, threadTs: options.threadTs }, async (user) => {
      const channel = this.#seen(channelId);
      const [name = '', ...rest] = line.trim().split(' ');
      if (options.threadTs)
        throw new SlackRefusal('not_supported_in_threads', { messages: [`${name} is not supported in threads. Sorry!`] });
      const command = this.#core.app.slashCommands.find((one) => one.command === name);
      if (!command) throw new SlackRefusal('unknown_command', { messages: [`${name} is not a valid command.`] });
      const text = escapeCommandText(this.#core.directory, rest.join(' ').trim(), command.shouldEscape ?? false);
      const delivered = await this.#deliveries.deliver(
        'slash_commands',
        commandPayload(this.#core, user, channel, name, text),
        'slash_commands',
      );
      return this.#shown({ user: user.id, channel: channel.id }, delivered, `${name} failed with the error`, delivered.ack);
    });
  }

  /** Presses a button or chooses from a menu on a message. Refused when the element is not on the message any more. */
  async click(channelId: string, messageTs: string, choice: ElementChoice, options: ClickOptions = {}): Promise<Outcome> {
    const at = { channel: channelId, threadTs: this.#core.messages.find(channelId, messageTs)?.threadTs };
    return this.#attempt('block_actions', at, async (user) => {
      const channel = this.#seen(channelId);
      const message = this.#core.messages.find(channelId, messageTs) ?? this.#core.messages.findEphemeral(user.id, messageTs);
      const found = message && findElement(message.blocks ?? [], choice);
      if (!message || !found) throw new SlackRefusal('not_on_message', { messages: ['This button is no longer on the message.'] });
      const action = actionOf(found.blockId, found.element, options.value, this.#core.messages.nextTs());
      const own = options.value === undefined ? {} : { [`${found.blockId}/${String(found.element['action_id'])}`]: options.value };
      const payload = messageActionsPayload(
        this.#core,
        user,
        channel,
        message,
        action,
        stateOf(message.blocks ?? [], { ...options.values, ...own }),
      );
      const delivered = await this.#deliveries.deliver('interactive', payload, 'block_actions');
      return this.#shown({ user: user.id, channel: channel.id, threadTs: message.threadTs }, delivered, 'The button failed with the error');
    });
  }

  /** Opens the app's Home. Resolves when the app has taken the event, or was given up. */
  openHome(): Promise<boolean> {
    return sendEvent(this.#core, this.#deliveries, homePayload(this.#core, this.#user()), this.#signal);
  }

  /** Presses or changes an element inside an open modal, or in the Home. */
  async clickInView(viewId: string, choice: ElementChoice, options: ClickOptions = {}): Promise<Outcome> {
    return this.#attempt('block_actions', {}, async (user) => {
      const home = this.#core.views.home(user.id);
      const open = [...this.#core.views.stack(user.id), ...(home ? [home] : [])].find((one) => one.id === viewId);
      const blocks = Array.isArray(open?.view['blocks']) ? open.view['blocks'].filter(isRecord) : [];
      const found = findElement(blocks, choice);
      if (!open || !found) throw new SlackRefusal('not_on_message');
      const action = actionOf(found.blockId, found.element, options.value, this.#core.messages.nextTs());
      const own = options.value === undefined ? {} : { [`${found.blockId}/${String(found.element['action_id'])}`]: options.value };
      const payload = viewActionsPayload(this.#core, user, open, action, stateOf(blocks, { ...options.values, ...own }));
      return outcomeOf(await this.#deliveries.deliver('interactive', payload, 'block_actions'));
    });
  }

  /** Submits the topmost modal. Slack's own input checks come first; `errors` holds what is wrong by block_id. */
  async submitModal(viewId: string, values: Values = {}): Promise<Outcome> {
    return this.#attempt('view_submission', {}, (user) => submitModal(this.#core, this.#deliveries, user, viewId, values));
  }

  /** Closes the topmost modal by its cancel button, or all of them by the cross. */
  async closeModal(all = false): Promise<Outcome> {
    return this.#attempt('view_closed', {}, (user) => closeModal(this.#core, this.#deliveries, user, all));
  }

  /** Writes a message. Mentioning the app delivers app_mention, files and all. Resolves with the message. */
  say(channelId: string, text: string, options: { threadTs?: string; files?: readonly { name: string; data: Buffer }[] } = {}): Message {
    const user = this.#user();
    const channel = this.#seen(channelId);
    const threadTs = options.threadTs;
    if (threadTs) this.#core.messages.get(channel.id, threadTs);
    const files = (options.files ?? []).map((file) =>
      fileObject(this.#core.files.attach(file.name, file.data, user.id), this.#core.apiOrigin()),
    );
    const escaped = escapeCommandText(this.#core.directory, text, true, false);
    const message = this.#core.messages.post({
      channel: channel.id,
      user: user.id,
      text: escaped,
      ...(threadTs ? { threadTs } : {}),
      ...(files.length > 0 ? { files } : {}),
    });
    if (escaped.includes(`<@${this.#core.directory.botUserId}>`)) {
      void sendEvent(this.#core, this.#deliveries, mentionPayload(this.#core, user, channel, message), this.#signal);
    }
    return message;
  }

  /** Uses a message shortcut from a message's menu. */
  async shortcut(channelId: string, messageTs: string, callbackId: string): Promise<Outcome> {
    return this.#attempt('message_action', { channel: channelId }, async (user) => {
      const channel = this.#seen(channelId);
      const message = this.#core.messages.get(channel.id, messageTs);
      if (!this.#core.app.messageShortcuts?.some((one) => one.callbackId === callbackId)) throw new SlackRefusal('unknown_shortcut');
      const delivered = await this.#deliveries.deliver(
        'interactive',
        shortcutPayload(this.#core, user, channel, message, callbackId),
        'message_action',
      );
      return this.#shown(
        { user: user.id, channel: channel.id, threadTs: message.threadTs },
        delivered,
        'The shortcut failed with the error',
      );
    });
  }

  /** Asks the app for the options of an external select. */
  async suggest(
    place: { channel: string; ts: string } | { viewId: string },
    element: Json,
    typed: string,
    values: Values = {},
  ): Promise<Outcome> {
    return this.#attempt('block_suggestion', {}, async (user) => {
      const inView = 'viewId' in place ? this.#core.views.find({ id: place.viewId }) : undefined;
      const where = inView ? viewPlace(this.#core, inView, values) : { container: { type: 'message', ...place } };
      const payload = suggestionPayload(this.#core, user, where, element, typed);
      const delivered = await this.#deliveries.deliver('interactive', payload, 'block_suggestion');
      const problems: string[] = [];
      if (delivered.error === undefined) suggestions(delivered.ack, '', problems);
      if (problems.length > 0) throw new SlackRefusal('invalid_options', { messages: problems });
      return outcomeOf(delivered);
    });
  }

  #user(): SlackUser {
    const user = this.#core.directory.user(this.#id);
    if (user.deleted && !this.#staleSession) throw new SlackRefusal('account_inactive', { messages: ['This account is deactivated.'] });
    return user;
  }

  #seen(channelId: string): Channel {
    const channel = this.#core.directory.channel(channelId);
    if (!channel.members.includes(this.#id) && !this.#staleSession) throw new SlackRefusal('not_in_channel');
    return channel;
  }

  /** Runs an act; what Slack refuses on the way is logged, shown to the person and returned, never thrown. */
  async #attempt(
    method: string,
    at: { channel?: string; threadTs?: string | undefined },
    act: (user: SlackUser) => Promise<Outcome>,
  ): Promise<Outcome> {
    try {
      const user = this.#user();
      if (this.#core.faults.state.down) throw new SlackRefusal('slack_down', { messages: ['Slack does not answer.'] });
      return await act(user);
    } catch (error) {
      if (!(error instanceof SlackRefusal)) throw error;
      this.#core.log.add({ direction: 'person', method, ok: false, ms: 0, summary: `user=${this.#id}`, refusal: error.message });
      const said = error.messages[0] ?? error.code;
      const shown = at.channel ? tell(this.#core, { user: this.#id, channel: at.channel, threadTs: at.threadTs }, said) : undefined;
      return refusedOutcome(error.code, shown);
    }
  }

  #shown(
    place: { user: string; channel: string; threadTs?: string | undefined },
    delivered: Delivered,
    failed: string,
    answer?: unknown,
  ): Outcome {
    if (delivered.error !== undefined) {
      return outcomeOf(delivered, tell(this.#core, place, `${failed} "${delivered.error}"`));
    }
    if (answer === undefined || answer === '') return outcomeOf(delivered);
    try {
      return outcomeOf(delivered, showAnswer(this.#core, { ...place, threadTs: place.threadTs, source: undefined }, answer));
    } catch (error) {
      if (!(error instanceof SlackRefusal)) throw error;
      this.#core.log.add({ direction: 'in', method: 'ack', ok: false, ms: 0, summary: '', refusal: error.message });
      return { ...outcomeOf(delivered, tell(this.#core, place, `${failed} "${error.code}"`)), ok: false, error: error.code };
    }
  }
}
