// The rest: tokens, connections, reactions, and checking blocks.
import type { Args } from '../args.ts';
import { contentOf } from '../compose.ts';
import type { Core } from '../core.ts';
import type { Json, Reaction } from '../messages.ts';
import { SlackRefusal } from '../refusal.ts';
import type { Methods } from './method.ts';

function authTest(core: Core): Json {
  const { team, botUserId, botId } = core.directory;
  return {
    url: `https://${team.domain}.slack.com/`,
    team: team.name,
    user: core.directory.user(botUserId).name,
    team_id: team.id,
    user_id: botUserId,
    bot_id: botId,
    is_enterprise_install: false,
  };
}

function react(core: Core, args: Args, change: (reactions: readonly Reaction[], name: string, user: string) => readonly Reaction[]): Json {
  const channel = core.directory.channel(args.required('channel', 'channel_not_found'));
  const message = core.messages.get(channel.id, args.required('timestamp', 'no_item_specified'));
  const reactions = change(message.reactions ?? [], args.required('name', 'invalid_name').replaceAll(':', ''), core.directory.botUserId);
  core.messages.put({ ...message, reactions });
  return {};
}

function added(reactions: readonly Reaction[], name: string, user: string): readonly Reaction[] {
  const present = reactions.find((one) => one.name === name);
  if (present?.users.includes(user)) throw new SlackRefusal('already_reacted');
  if (!present) return [...reactions, { name, users: [user] }];
  return reactions.map((one) => (one === present ? { name, users: [...one.users, user] } : one));
}

function removed(reactions: readonly Reaction[], name: string, user: string): readonly Reaction[] {
  if (!reactions.some((one) => one.name === name && one.users.includes(user))) throw new SlackRefusal('no_reaction');
  const without = reactions.map((one) => (one.name === name ? { name, users: one.users.filter((other) => other !== user) } : one));
  return without.filter((one) => one.users.length > 0);
}

export const otherMethods: Methods = {
  'api.test': { tier: 4, token: 'none', run: (_core, args) => ({ args: args.has('foo') ? { foo: args.optional('foo') } : {} }) },
  'auth.test': { tier: 'none', run: authTest },
  'apps.connections.open': { tier: 'connect', token: 'app', scope: 'connections:write', run: (core) => ({ url: core.socketUrl() }) },
  'reactions.add': { tier: 3, scope: 'reactions:write', run: (core, args) => react(core, args, added) },
  'reactions.remove': { tier: 2, scope: 'reactions:write', run: (core, args) => react(core, args, removed) },
  'blocks.validate': {
    tier: 4,
    run: (core, args) => {
      contentOf(core, args);
      return {};
    },
  },
};
