import type { WebClient } from '@slack/web-api';
import type { People } from '../../activities/ports.ts';
import type { Actor, KubernetesIdentity } from '../domain/actor.ts';
import type { Approver } from '../domain/gate.ts';
import { createBuckets } from './buckets.ts';
import { type Cache, createCache } from './cache.ts';
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

export interface IdentifyOptions {
  /** Asks Slack now, since a click decides something; else an answer may be 60 s old. May use the part of Slack's rate that is kept for decisions. */
  readonly fresh?: boolean;
  /** Asked for the safe direction: where Slack does not answer, what it said a few minutes ago still counts. */
  readonly safe?: boolean;
}

export interface SlackPeople extends People {
  /** Who this account is. Never throws: silence of Slack is a refusal. Whoever was refused is refused for a minute without asking again. */
  identify(userId: string, options?: IdentifyOptions): Promise<Identified>;
  /** Why this account was refused less than a minute ago. Asks nobody. */
  refusedBefore(userId: string): Refused | undefined;
  /** The name that people read, or undefined where Slack does not say it. */
  nameOf(userId: string): Promise<string | undefined>;
}

export interface PeopleDeps {
  readonly web: WebClient;
  /** The workspaces that are served; accounts of another one are refused. */
  readonly teamIds: () => readonly string[];
  /** Whom the cluster sees, by canonical id. */
  readonly kubernetesOf: (id: string) => KubernetesIdentity | undefined;
  readonly now: () => number;
  /** How many bots share what Slack allows the workspace; default: one. */
  readonly replicas?: number;
  /** Hears of each 429, with the wait that Slack asks for in milliseconds. */
  readonly onLimited?: (method: string, ms: number) => void;
}

const KEPT_MS = 60_000;
/** Names change rarely. */
const NAME_KEPT_MS = 600_000;
/** How old an answer may be that stops or takes back a change. */
const SAFE_MS = 300_000;
/** Slack allows 100 calls of users.info a minute (tier 4), whoever makes them. The rest is for workers, which ask who the approvers are. */
const ASKED_PER_MINUTE = 60;
/** Of what a bot may ask, so much is for clicks that decide. */
const KEPT_FOR_DECISIONS = 25 / ASKED_PER_MINUTE;
/** Slack allows a few hundred users.info calls a minute; a bigger group is refused rather than half read. */
const LARGEST_GROUP = 200;

export function createPeople(deps: PeopleDeps): SlackPeople {
  const limited = (method: string) => (ms: number) => deps.onLimited?.(method, ms);
  const accounts = createCache((userId) => readAccount(deps.web, userId), deps.now, limited('users.info'));
  const groups = createCache((id) => readGroup(deps.web, id), deps.now, limited('usergroups.users.list'));
  const most = ASKED_PER_MINUTE / (deps.replicas ?? 1);
  const kept = most * KEPT_FOR_DECISIONS;
  const asked = createBuckets(() => most, deps.now);
  const unknown = new Map<string, number>();
  const refusedBefore: SlackPeople['refusedBefore'] = (userId) => {
    const account = accounts.peek(userId, KEPT_MS);
    if (account) return refuseAccount(account, deps.teamIds());
    return deps.now() - (unknown.get(userId) ?? Number.NEGATIVE_INFINITY) < KEPT_MS ? refusal('UnknownUser') : undefined;
  };
  return {
    refusedBefore,
    identify: async (userId, { fresh = false, safe = false } = {}) => {
      const before = refusedBefore(userId);
      if (before) return before;
      const mayAsk = (): boolean => asked.take('users.info', fresh || safe ? 0 : kept);
      let account: Account;
      try {
        account = await accounts.get(userId, { maxAgeMs: fresh ? 0 : KEPT_MS, staleMs: safe ? SAFE_MS : 0, mayAsk });
      } catch (error) {
        if (!isNotFound(error)) return refusal('SlackSilent');
        remember(unknown, userId, deps.now());
        return refusal('UnknownUser');
      }
      return refuseAccount(account, deps.teamIds()) ?? { kind: 'person', actor: actorOf(account, deps.kubernetesOf) };
    },
    nameOf: async (userId) => {
      const mayAsk = (): boolean => asked.take('users.info', kept);
      const account = await accounts.get(userId, { maxAgeMs: NAME_KEPT_MS, mayAsk }).catch(() => undefined);
      return account?.name;
    },
    approvers: (rule, signal) => approversOf(deps, { accounts, groups }, rule, signal),
  };
}

/** For a minute; nobody sends enough unknown accounts to need more room. */
function remember(unknown: Map<string, number>, userId: string, at: number): void {
  if (unknown.size >= 1_000) unknown.clear();
  unknown.set(userId, at);
}

interface Kept {
  readonly accounts: Cache<Account>;
  readonly groups: Cache<readonly string[]>;
}

async function approversOf(
  deps: PeopleDeps,
  { accounts, groups }: Kept,
  ...[rule, signal]: Parameters<People['approvers']>
): Promise<readonly Approver[]> {
  const found = new Map<string, Approver>();
  for (const group of rule.approvers.usergroups) {
    signal.throwIfAborted();
    const members = await groups.get(group, { maxAgeMs: KEPT_MS });
    if (members.length > LARGEST_GROUP)
      throw new Error(`Usergroup ${group} has ${members.length} members; ${LARGEST_GROUP} can be checked.`);
    for (const userId of members) {
      signal.throwIfAborted();
      const account = await accounts.get(userId, { maxAgeMs: KEPT_MS });
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
