import type { WebClient } from '@slack/web-api';
import type { Config } from '../domain/config/schema.ts';
import type { Check } from './checks.ts';

/** The scopes of manifests/slack/app-manifest.yaml that nothing works without. */
const SCOPES = [
  'commands',
  'chat:write',
  'channels:history',
  'channels:read',
  'users:read',
  'users:read.email',
  'usergroups:read',
  'files:write',
];

/** Whose token it is, which scopes it lacks, whether groups and channels of the configuration are there. */
export function slackChecks(web: WebClient, config: Config): readonly Check[] {
  const groups = new Set(config.gates.flatMap((gate) => gate.approvers.usergroups));
  const channels = config.channels.map((channel) => channel.id).filter((id) => id !== '*');
  return [
    {
      name: 'Slack token',
      todo: 'Install the app of manifests/slack/app-manifest.yaml in the workspace, and set SLACK_BOT_TOKEN to its bot token.',
      look: () => checkToken(web, config),
    },
    ...[...groups].map(
      (group): Check => ({
        name: `Slack usergroup ${group}`,
        todo: 'Add members to it in Slack, or name another one in `gates`.',
        look: () => checkGroup(web, group),
      }),
    ),
    ...channels.map(
      (channel): Check => ({
        name: `Slack channel ${channel}`,
        todo: 'Invite the bot with /invite into a channel of this workspace alone, or name another one in `channels`.',
        look: () => checkChannel(web, channel),
      }),
    ),
  ];
}

async function checkToken(web: WebClient, config: Config): Promise<string> {
  const me = await web.auth.test();
  const { teamIds } = config.slack;
  if (!me.team_id || !teamIds.includes(me.team_id))
    throw new Error(`belongs to ${me.team_id ?? 'no workspace'}; slack.teamIds names ${teamIds.join(', ')}`);
  const scopes = me.response_metadata?.scopes;
  if (!scopes) return `${me.user ?? 'bot'} in ${me.team ?? me.team_id}; Slack did not say which scopes it has`;
  const missing = SCOPES.filter((scope) => !scopes.includes(scope));
  if (missing.length > 0) throw new Error(`lacks ${missing.join(', ')}: add them to the app and install it again`);
  return `${me.user ?? 'bot'} in ${me.team ?? me.team_id}, all scopes`;
}

async function checkGroup(web: WebClient, usergroup: string): Promise<string> {
  const { users } = await web.usergroups.users.list({ usergroup });
  if (!users?.length) throw new Error('has no members: its gates can never open');
  return `${users.length} member(s)`;
}

async function checkChannel(web: WebClient, channel: string): Promise<string> {
  const { channel: found } = await web.conversations.info({ channel });
  if (found?.is_archived) throw new Error('is archived');
  if (found?.is_ext_shared) throw new Error('is shared with another organisation: commands are refused there');
  if (!found?.is_member) throw new Error('the bot is not in it: invite it with /invite');
  return `#${found.name ?? channel}`;
}
