// users.*, usergroups.*, team and bots: who is who.
import type { Args } from '../args.ts';
import type { Core } from '../core.ts';
import type { Json } from '../messages.ts';
import { SlackRefusal } from '../refusal.ts';
import { type SlackUser, type Usergroup, userObject } from '../workspace.ts';
import { type Methods, page } from './method.ts';

/** Without users:read.email Slack leaves the address out. */
function shown(core: Core, user: SlackUser): Json {
  const { email: _email, ...rest } = user;
  const mayReadEmail = core.app.scopes === undefined || core.app.scopes.includes('users:read.email');
  return userObject(mayReadEmail ? user : rest);
}

function info(core: Core, args: Args): Json {
  return { user: shown(core, core.directory.user(args.required('user', 'user_not_found'))) };
}

function lookupByEmail(core: Core, args: Args): Json {
  const email = args.required('email', 'users_not_found').toLowerCase();
  // Slack does not find deactivated accounts by their address.
  const user = core.directory.users().find((one) => one.email?.toLowerCase() === email && !one.deleted);
  if (!user) throw new SlackRefusal('users_not_found');
  return { user: shown(core, user) };
}

function list(core: Core, args: Args): Json {
  const { items, response_metadata } = page(core.directory.users(), args);
  return { members: items.map((user) => shown(core, user)), cache_ts: Math.floor(core.now() / 1000), response_metadata };
}

function groupObject(core: Core, group: Usergroup, withUsers: boolean): Json {
  const users = withUsers ? { users: group.users } : {};
  return {
    id: group.id,
    team_id: core.directory.team.id,
    is_usergroup: true,
    name: group.name,
    handle: group.handle,
    date_delete: 0,
    user_count: group.users.length,
    ...users,
  };
}

function groups(core: Core, args: Args): Json {
  return { usergroups: core.directory.usergroups().map((group) => groupObject(core, group, args.flag('include_users'))) };
}

function groupUsers(core: Core, args: Args): Json {
  return { users: core.directory.usergroup(args.required('usergroup', 'no_such_subteam')).users };
}

function bot(core: Core, args: Args): Json {
  const { botId, appId, botUserId } = core.directory;
  if (args.has('bot') && args.optional('bot') !== botId) throw new SlackRefusal('bot_not_found');
  return { bot: { id: botId, deleted: false, name: core.directory.user(botUserId).name, app_id: appId, user_id: botUserId } };
}

export const peopleMethods: Methods = {
  'users.info': { tier: 4, scope: 'users:read', run: info },
  'users.lookupByEmail': { tier: 3, scope: 'users:read.email', run: lookupByEmail },
  'users.list': { tier: 2, scope: 'users:read', run: list },
  'usergroups.list': { tier: 2, scope: 'usergroups:read', run: groups },
  'usergroups.users.list': { tier: 2, scope: 'usergroups:read', run: groupUsers },
  'team.info': { tier: 3, scope: 'team:read', run: (core) => ({ team: { ...core.directory.team } }) },
  'bots.info': { tier: 3, scope: 'users:read', run: bot },
};
