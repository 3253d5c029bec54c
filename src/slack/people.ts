import type { WebClient } from '@slack/web-api';
import type { Actor, KubernetesIdentity } from '../domain/lifecycle/actor.ts';
import type { Approver, GateRule } from '../domain/lifecycle/gate.ts';
import type { People } from '../ports.ts';
import { type Account, accountOf, readAccount, refuseAccount } from './account.ts';
import { createBuckets } from './buckets.ts';
import { type Cache, createCache } from './cache.ts';
import { type Refused, refusal } from './refusals.ts';

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
  /** Do these rules name this person now? Reads no other member. Rejects where Slack does not say. */
  isNamed(actor: Actor, approvers: GateRule['approvers']): Promise<boolean>;
  /** The name that people read, or undefined where Slack does not say it. */
  nameOf(userId: string): Promise<string | undefined>;
}

export interface PeopleDeps {
  readonly web: WebClient;
  /** The workspaces that are served; accounts of another one are refused. */
  readonly teamIds: () => readonly string[];
  /** Whom the cluster sees, by canonical id and by the usergroups of `identityGroups` that the person is in. */
  readonly kubernetesOf: (id: string, memberOf: readonly string[]) => KubernetesIdentity | undefined;
  /** Usergroups that say who somebody is in the cluster. Default: none. */
  readonly identityGroups?: () => readonly string[];
  /** Whom the gates name now, wherever; undefined: there are none. Who was taken out of all of them approves nothing that runs. Default: not looked at. */
  readonly named?: () => GateRule['approvers'] | undefined;
  readonly now: () => number;
  /** How many bots share what Slack allows the workspace; default: one. */
  readonly replicas?: number;
  /** Hears of each 429, with the wait that Slack asks for in milliseconds. */
  readonly onLimited?: (method: string, ms: number) => void;
}

const KEPT_MS = 60_000;
/** Slack allows some 20 readings of groups a minute (tier 2): where somebody decides, a group is asked for again after this. */
const DECIDING_MS = 10_000;
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
      const refused = refuseAccount(account, deps.teamIds());
      if (refused) return refused;
      const looked = deps.identityGroups?.() ?? [];
      const memberOf = looked.length === 0 ? [] : await membersOf(groups, looked, userId, fresh, safe);
      return memberOf ? { kind: 'person', actor: actorOf(account, (id) => deps.kubernetesOf(id, memberOf)) } : refusal('SlackSilent');
    },
    nameOf: async (userId) => {
      const mayAsk = (): boolean => asked.take('users.info', kept);
      const account = await accounts.get(userId, { maxAgeMs: NAME_KEPT_MS, mayAsk }).catch(() => undefined);
      return account?.name;
    },
    isNamed: async ({ id, slack }, approvers) => {
      const { usergroups, emails } = stillNamed(approvers, deps.named?.());
      if (emails.some((email) => email.toLowerCase() === id)) return true;
      if (!slack) return false;
      const lists = await Promise.all(usergroups.map((group) => groups.get(group, { maxAgeMs: DECIDING_MS, staleMs: KEPT_MS })));
      return lists.some((members) => members.includes(slack.userId));
    },
    approvers: (rule, signal, options) => approversOf(deps, { accounts, groups }, rule, signal, options),
  };
}

/**
 * Those of the groups that somebody is in; undefined where Slack does not say: rights that nobody knows of are no rights. Who stops or takes back a
 * change needs none in the cluster.
 */
async function membersOf(
  groups: Cache<readonly string[]>,
  asked: readonly string[],
  userId: string,
  fresh: boolean,
  safe: boolean,
): Promise<readonly string[] | undefined> {
  try {
    const options = { maxAgeMs: fresh ? DECIDING_MS : KEPT_MS, staleMs: safe ? SAFE_MS : 0 };
    const lists = await Promise.all(asked.map((group) => groups.get(group, options)));
    return asked.filter((_, at) => lists[at]?.includes(userId));
  } catch {
    return safe ? [] : undefined;
  }
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
  ...[rule, signal, { deciding = false } = {}]: Parameters<People['approvers']>
): Promise<readonly Approver[]> {
  const found = new Map<string, Approver>();
  const { usergroups, emails } = stillNamed(rule.approvers, deps.named?.());
  for (const group of usergroups) {
    signal.throwIfAborted();
    const members = await groups.get(group, deciding ? { maxAgeMs: DECIDING_MS, staleMs: KEPT_MS } : { maxAgeMs: KEPT_MS });
    if (members.length > LARGEST_GROUP)
      throw new Error(`Usergroup ${group} has ${members.length} members; ${LARGEST_GROUP} can be checked.`);
    for (const userId of members) {
      signal.throwIfAborted();
      const account = await accounts.get(userId, { maxAgeMs: KEPT_MS });
      if (refuseAccount(account, deps.teamIds())) continue;
      const { id, name } = actorOf(account, () => undefined);
      found.set(id, { id, name, slackId: userId });
    }
  }
  for (const email of emails) {
    signal.throwIfAborted();
    const id = email.toLowerCase();
    const approver = found.get(id) ?? (await approverByEmail(deps, id));
    if (approver) found.set(id, approver);
  }
  return [...found.values()];
}

/** A running operation keeps the rules that it began with, but not people whom the configuration has taken out of every rule since. */
function stillNamed(approvers: GateRule['approvers'], now: GateRule['approvers'] | undefined): GateRule['approvers'] {
  if (!now) return approvers;
  const within = (some: readonly string[], all: readonly string[]): readonly string[] =>
    some.filter((one) => all.includes(one.toLowerCase()));
  return {
    usergroups: approvers.usergroups.filter((group) => now.usergroups.includes(group)),
    emails: within(approvers.emails, now.emails),
  };
}

function actorOf(account: Account, kubernetesOf: (id: string) => KubernetesIdentity | undefined): Actor {
  const id = (account.email ?? '').toLowerCase();
  const kubernetes = kubernetesOf(id);
  return {
    id,
    name: account.name,
    slack: { teamId: account.teamId, userId: account.userId },
    ...(kubernetes ? { kubernetes } : {}),
  };
}

async function readGroup(web: WebClient, id: string): Promise<readonly string[]> {
  const { users } = await web.usergroups.users.list({ usergroup: id });
  if (!users) throw new Error(`Slack's usergroups.users.list gave no members for ${id}.`);
  return users;
}

/**
 * The address alone is enough to approve, as long as it may do anything at all: undefined where Slack knows no active member by it. Slack's id only
 * lets the message mention the person.
 */
async function approverByEmail(deps: PeopleDeps, email: string): Promise<Approver | undefined> {
  const teams = deps.teamIds();
  try {
    const { user } = await deps.web.users.lookupByEmail({ email });
    const account = user && accountOf(user);
    if (!account?.userId) return { id: email, name: email };
    return refuseAccount({ ...account, email }, teams) ? undefined : { id: email, name: account.name, slackId: account.userId };
  } catch (error) {
    // Where several workspaces are served this one need not know everybody, and where Slack does not answer the click is looked at anyway.
    const isGone = teams.length === 1 && error instanceof Error && error.message.includes('users_not_found');
    return isGone ? undefined : { id: email, name: email };
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && /user_not_found|user_not_visible/.test(error.message);
}
