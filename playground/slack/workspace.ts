// Who is in the workspace: people, channels and usergroups, and Slack's own shape of each.

export interface SlackUser {
  readonly id: string;
  readonly teamId: string;
  /** Handle without the @. */
  readonly name: string;
  readonly realName: string;
  readonly email?: string;
  /** False: nobody has followed the link in Slack's mail. */
  readonly isEmailConfirmed?: boolean;
  /** Guest. */
  readonly isRestricted?: boolean;
  /** Single-channel guest. */
  readonly isUltraRestricted?: boolean;
  /** Somebody of another organisation, here through Slack Connect. */
  readonly isStranger?: boolean;
  readonly deleted?: boolean;
  readonly isBot?: boolean;
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly members: readonly string[];
  readonly isPrivate?: boolean;
  readonly isArchived?: boolean;
  /** Shared with another organisation through Slack Connect. */
  readonly isExtShared?: boolean;
  /** Direct message: the person at the other end. */
  readonly im?: string;
}

export interface Usergroup {
  readonly id: string;
  readonly handle: string;
  readonly name: string;
  readonly users: readonly string[];
}

export interface Workspace {
  readonly team: { readonly id: string; readonly name: string; readonly domain: string };
  readonly appId: string;
  readonly botId: string;
  readonly botUserId: string;
  readonly users: readonly SlackUser[];
  readonly channels: readonly Channel[];
  readonly usergroups: readonly Usergroup[];
}

/** The workspace of the demo: one channel, five kinds of people, the bot and the group of reviewers. */
export function demoWorkspace(): Workspace {
  const teamId = 'T0MESHOPS';
  const person = (id: string, name: string, realName: string, rest: Partial<SlackUser> = {}): SlackUser => ({
    id,
    teamId,
    name,
    realName,
    email: `${name.replaceAll('-', '.')}@example.com`,
    ...rest,
  });
  const users = [
    person('U0OPERATOR', 'operator', 'Operator'),
    person('U0REVIEWER', 'reviewer', 'Reviewer'),
    person('U0REVIEWER2', 'reviewer2', 'Second reviewer'),
    person('U0GUEST', 'guest', 'Guest', { isRestricted: true }),
    person('U0OUTSIDE', 'outside-guest', 'Outside guest', { isStranger: true, teamId: 'T0OUTSIDE' }),
    person('U0GONE', 'deactivated', 'Deactivated', { deleted: true }),
    { id: 'U0MESHOPS', teamId, name: 'meshops', realName: 'meshops', isBot: true },
  ];
  return {
    team: { id: teamId, name: 'meshops playground', domain: 'meshops-playground' },
    appId: 'A0MESHOPS',
    botId: 'B0MESHOPS',
    botUserId: 'U0MESHOPS',
    users,
    channels: [{ id: 'C0MESH', name: 'mesh', members: users.filter((user) => !user.deleted).map((user) => user.id) }],
    usergroups: [
      { id: 'S0REVIEWERS', handle: 'mesh-reviewers', name: 'mesh-reviewers', users: ['U0REVIEWER', 'U0REVIEWER2'] },
      { id: 'S0LEADS', handle: 'mesh-leads', name: 'mesh-leads', users: [] },
    ],
  };
}

/** Slack's user object, as users.info returns it. */
export function userObject(user: SlackUser): Record<string, unknown> {
  return {
    id: user.id,
    team_id: user.teamId,
    name: user.name,
    deleted: user.deleted ?? false,
    real_name: user.realName,
    tz: 'Etc/UTC',
    profile: { real_name: user.realName, display_name: user.name, email: user.email, team: user.teamId },
    is_admin: false,
    is_owner: false,
    is_restricted: user.isRestricted ?? false,
    is_ultra_restricted: user.isUltraRestricted ?? false,
    is_bot: user.isBot ?? false,
    is_app_user: false,
    is_email_confirmed: user.isEmailConfirmed ?? true,
    ...(user.isStranger ? { is_stranger: true } : {}),
  };
}

/** Slack's channel object, as conversations.info returns it. */
export function channelObject(channel: Channel, botUserId: string, teamId: string): Record<string, unknown> {
  if (channel.im !== undefined) return { id: channel.id, is_im: true, user: channel.im, is_channel: false, is_archived: false };
  return {
    id: channel.id,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: !channel.isPrivate,
    is_group: channel.isPrivate ?? false,
    is_im: false,
    is_private: channel.isPrivate ?? false,
    is_archived: channel.isArchived ?? false,
    is_ext_shared: channel.isExtShared ?? false,
    is_shared: channel.isExtShared ?? false,
    is_org_shared: false,
    is_member: channel.members.includes(botUserId),
    context_team_id: teamId,
    num_members: channel.members.length,
  };
}
