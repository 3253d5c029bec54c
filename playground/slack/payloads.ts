// What Slack tells the app: the payloads of commands, interactions and events.
import { isRecord } from './block-kit/checks.ts';
import { type Core, shownMessage } from './core.ts';
import { stateOf, type Values } from './element-state.ts';
import { freshId } from './ids.ts';
import type { Json, Message } from './messages.ts';
import { type OpenView, viewObject } from './views.ts';
import type { Channel, SlackUser } from './workspace.ts';

/** The legacy verification token; apps must not rely on it. */
const legacyToken = 'playground-verification-token';

/** Makes a response URL that answers this person in this place. */
export function responseUrl(core: Core, user: SlackUser, channel: Channel, source?: Message): string {
  const threadTs = source?.threadTs;
  return `${core.apiOrigin()}/response/${core.tickets.response({ user: user.id, channel: channel.id, threadTs, source })}`;
}

function who(core: Core, user: SlackUser): Json {
  const { team, appId } = core.directory;
  return {
    api_app_id: appId,
    token: legacyToken,
    team: { id: team.id, domain: team.domain },
    user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId },
    enterprise: null,
    is_enterprise_install: false,
  };
}

export function commandPayload(core: Core, user: SlackUser, channel: Channel, command: string, text: string): Record<string, string> {
  return {
    token: legacyToken,
    team_id: core.directory.team.id,
    team_domain: core.directory.team.domain,
    channel_id: channel.id,
    channel_name: channel.im === undefined ? channel.name : 'directmessage',
    user_id: user.id,
    user_name: user.name,
    command,
    text,
    api_app_id: core.directory.appId,
    is_enterprise_install: 'false',
    response_url: responseUrl(core, user, channel),
    trigger_id: core.tickets.trigger(user.id),
  };
}

export function messageActionsPayload(core: Core, user: SlackUser, channel: Channel, message: Message, action: Json, values: Json): Json {
  const thread = message.threadTs ? { thread_ts: message.threadTs } : {};
  const ephemeral = message.onlyFor !== undefined;
  return {
    type: 'block_actions',
    ...who(core, user),
    container: { type: 'message', message_ts: message.ts, channel_id: channel.id, is_ephemeral: ephemeral, ...thread },
    trigger_id: core.tickets.trigger(user.id),
    channel: { id: channel.id, name: channel.im === undefined ? channel.name : 'directmessage' },
    // Slack leaves the content of ephemeral messages out.
    ...(ephemeral ? {} : { message: shownMessage(core, message, true) }),
    state: { values },
    response_url: responseUrl(core, user, channel, message),
    actions: [action],
  };
}

function shownView(core: Core, open: OpenView, values: Json): Json {
  const { team, appId, botId } = core.directory;
  return viewObject(open, { team: team.id, app: appId, bot: botId }, values);
}

export function viewActionsPayload(core: Core, user: SlackUser, open: OpenView, action: Json, values: Json): Json {
  return {
    type: 'block_actions',
    ...who(core, user),
    container: { type: 'view', view_id: open.id },
    trigger_id: core.tickets.trigger(user.id),
    view: shownView(core, open, values),
    actions: [action],
  };
}

export function submissionPayload(core: Core, user: SlackUser, open: OpenView, values: Json): Json {
  return {
    type: 'view_submission',
    ...who(core, user),
    trigger_id: core.tickets.trigger(user.id),
    view: shownView(core, open, values),
    response_urls: [],
  };
}

export function closedPayload(core: Core, user: SlackUser, open: OpenView, isCleared: boolean): Json {
  return { type: 'view_closed', ...who(core, user), view: shownView(core, open, {}), is_cleared: isCleared };
}

/** Where an element of a modal stands, with what has been entered so far. */
export function viewPlace(core: Core, open: OpenView, values: Values): Json {
  const blocks = Array.isArray(open.view['blocks']) ? open.view['blocks'].filter(isRecord) : [];
  return { container: { type: 'view', view_id: open.id }, view: shownView(core, open, stateOf(blocks, values)) };
}

export function suggestionPayload(core: Core, user: SlackUser, place: Json, element: Json, value: string): Json {
  return { type: 'block_suggestion', ...who(core, user), ...place, action_id: element['action_id'], block_id: element['block_id'], value };
}

export function shortcutPayload(core: Core, user: SlackUser, channel: Channel, message: Message, callbackId: string): Json {
  return {
    type: 'message_action',
    ...who(core, user),
    callback_id: callbackId,
    trigger_id: core.tickets.trigger(user.id),
    action_ts: core.messages.nextTs(),
    message_ts: message.ts,
    channel: { id: channel.id, name: channel.name },
    message: shownMessage(core, message, true),
    response_url: responseUrl(core, user, channel, message),
  };
}

export function mentionPayload(core: Core, user: SlackUser, channel: Channel, message: Message): Json & { readonly event: Json } {
  const event = {
    ...shownMessage(core, message),
    type: 'app_mention',
    channel: channel.id,
    event_ts: message.ts,
    user: user.id,
    user_team: user.teamId,
  };
  return { ...eventPayload(core, event), is_ext_shared_channel: channel.isExtShared ?? false };
}

export function homePayload(core: Core, user: SlackUser): Json & { readonly event: Json } {
  const open = core.views.home(user.id);
  const event = {
    type: 'app_home_opened',
    user: user.id,
    channel: core.directory.openDirect(user.id).id,
    tab: 'home',
    event_ts: core.messages.nextTs(),
    ...(open && { view: shownView(core, open, {}) }),
  };
  return eventPayload(core, event);
}

function eventPayload(core: Core, event: Json): Json & { readonly event: Json } {
  const { team, appId, botUserId } = core.directory;
  const authorization = { enterprise_id: null, team_id: team.id, user_id: botUserId, is_bot: true, is_enterprise_install: false };
  return {
    token: legacyToken,
    team_id: team.id,
    context_team_id: team.id,
    api_app_id: appId,
    event,
    type: 'event_callback',
    event_id: freshId('Ev0'),
    event_time: Math.floor(core.now() / 1000),
    authorizations: [authorization],
    is_ext_shared_channel: false,
  };
}
