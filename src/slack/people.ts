import type { WebClient } from '@slack/web-api';
import type { People } from '../../activities/ports.ts';
import type { Actor, KubernetesIdentity } from '../domain/actor.ts';
import type { Approver } from '../domain/gate.ts';
import { createCache } from './cache.ts';
import { type Refused, refusal } from './refusals.ts';

/** What Slack says of one account, as far as it decides who may do something. */
export interface Account {
  readonly userId: string;
  readonly teamId: string;
  readonly name: string;
  readonly email?: string;
  readonly deleted: boolean;
  readonly bot: boolean;
  readonly guest: boolean;
  readonly stranger: boolean;
}

export type Identified = { readonly kind: 'person'; readonly actor: Actor } | Refused;

export interface SlackPeople extends People {
  /** Who this account is. `fresh` asks Slack now (a click decides something); else an answer may be 60 s old. Never throws: silence of Slack is a refusal. */
  identify(userId: string, options?: { readonly fresh?: boolean }): Promise<Identified>;
}

export interface PeopleDeps {
  readonly web: WebClient;
  /** The workspaces that are served; accounts of another one are refused. */
  readonly teamIds: () => readonly string[];
  /** Whom the cluster sees, by canonical id. */
  readonly kubernetesOf: (id: string) => KubernetesIdentity | undefined;
  readonly now: () => number;
}

const KEPT_MS = 60_000;
/** Slack allows a few hundred users.info calls a minute; a bigger group is refused rather than half read. */
const LARGEST_GROUP = 200;

export function createPeople(deps: PeopleDeps): SlackPeople {
  const accounts = createCache((userId) => readAccount(deps.web, userId), deps.now);
  const groups = createCache((id) => readGroup(deps.web, id), deps.now);
  const identify: SlackPeople['identify'] = async (userId, options) => {
    let account: Account;
    try {
      account = await accounts.get(userId, options?.fresh ? 0 : KEPT_MS);
    } catch (error) {
      return refusal(isNotFound(error) ? 'UnknownUser' : 'SlackSilent');
    }
    const refused = refuseAccount(account, deps.teamIds());
    return refused ?? { kind: 'person', actor: actorOf(account, deps.kubernetesOf) };
  };
  return {
    identify,
    approvers: async (rule, signal) => {
      const found = new Map<string, Approver>();
      for (const group of rule.approvers.usergroups) {
        signal.throwIfAborted();
        const members = await groups.get(group, KEPT_MS);
        if (members.length > LARGEST_GROUP)
          throw new Error(`Usergroup ${group} has ${members.length} members; ${LARGEST_GROUP} can be checked.`);
        for (const userId of members) {
          signal.throwIfAborted();
          const account = await accounts.get(userId, KEPT_MS);
          if (refuseAccount(account, deps.teamIds())) continue;
          const { id, name } = actorOf(account, deps.kubernetesOf);
          found.set(id, { id, name, slackId: userId });
        }
      }
      for (const email of rule.approvers.emails) {
        signal.throwIfAborted();
        const id = email.toLowerCase();
        if (!found.has(id)) found.set(id, await approverByEmail(deps, id));
      }
      return [...found.values()];
    },
  };
}

/** The first reason why this account may do nothing here, or undefined. */
export function refuseAccount(account: Account, teamIds: readonly string[]): Refused | undefined {
  if (account.deleted) return refusal('Deactivated');
  if (account.bot) return refusal('Bot');
  if (account.stranger || !teamIds.includes(account.teamId)) return refusal('Stranger');
  if (account.guest) return refusal('Guest');
  if (!account.email) return refusal('NoEmail');
  return undefined;
}

function actorOf(account: Account, kubernetesOf: PeopleDeps['kubernetesOf']): Actor {
  const id = (account.email ?? '').toLowerCase();
  const kubernetes = kubernetesOf(id);
  return {
    id,
    name: account.name,
    slack: { teamId: account.teamId, userId: account.userId },
    ...(kubernetes ? { kubernetes } : {}),
  };
}

async function readAccount(web: WebClient, userId: string): Promise<Account> {
  const { user } = await web.users.info({ user: userId });
  if (!user?.id) throw new Error(`Slack's users.info gave no user for ${userId}.`);
  const email = user.profile?.email;
  return {
    userId: user.id,
    teamId: user.team_id ?? '',
    name: user.real_name ?? user.name ?? user.id,
    deleted: user.deleted ?? false,
    bot: (user.is_bot ?? false) || user.id === 'USLACKBOT',
    guest: (user.is_restricted ?? false) || (user.is_ultra_restricted ?? false),
    stranger: user.is_stranger ?? false,
    ...(email ? { email } : {}),
  };
}

async function readGroup(web: WebClient, id: string): Promise<readonly string[]> {
  const { users } = await web.usergroups.users.list({ usergroup: id });
  if (!users) throw new Error(`Slack's usergroups.users.list gave no members for ${id}.`);
  return users;
}

/** The address alone is enough to approve; Slack's id only lets the message mention the person. */
async function approverByEmail(deps: PeopleDeps, email: string): Promise<Approver> {
  try {
    const { user } = await deps.web.users.lookupByEmail({ email });
    if (user?.id) return { id: email, name: user.real_name ?? user.name ?? email, slackId: user.id };
  } catch {
    // Not found or not answered: whoever clicks is identified by the address anyway.
  }
  return { id: email, name: email };
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && /user_not_found|user_not_visible/.test(error.message);
}
