// One account of Slack: what it is, and why it may do nothing here.
import type { WebClient } from '@slack/web-api';
import { type Refused, refusal } from './refusals.ts';

/** What Slack says of one account, as far as it decides who may do something. */
export interface Account {
  readonly userId: string;
  readonly teamId: string;
  readonly name: string;
  readonly email?: string;
  /** Slack says that nobody has confirmed the address. */
  readonly unconfirmed?: boolean;
  readonly deleted: boolean;
  readonly bot: boolean;
  readonly guest: boolean;
  readonly stranger: boolean;
}

const PLAIN = /^[\x21-\x7e]+$/;

/** The first reason why this account may do nothing here, or undefined. */
export function refuseAccount(account: Account, teamIds: readonly string[]): Refused | undefined {
  if (account.deleted) return refusal('Deactivated');
  if (account.bot) return refusal('Bot');
  if (account.stranger || !teamIds.includes(account.teamId)) return refusal('Stranger');
  if (account.guest) return refusal('Guest');
  if (!account.email) return refusal('NoEmail');
  // A letter that only looks like another one, or becomes one in lower case (the sign for kelvin), is somebody else's address.
  if (account.unconfirmed || !PLAIN.test(account.email)) return refusal('OddEmail');
  return undefined;
}

export async function readAccount(web: WebClient, userId: string): Promise<Account> {
  const { user } = await web.users.info({ user: userId });
  if (!user?.id) throw new Error(`Slack's users.info gave no user for ${userId}.`);
  return accountOf(user);
}

type User = NonNullable<Awaited<ReturnType<WebClient['users']['info']>>['user']>;

export function accountOf(user: User): Account {
  const email = user.profile?.email;
  return {
    userId: user.id ?? '',
    teamId: user.team_id ?? '',
    name: user.real_name ?? user.name ?? user.id ?? '',
    deleted: user.deleted ?? false,
    bot: (user.is_bot ?? false) || user.id === 'USLACKBOT',
    guest: (user.is_restricted ?? false) || (user.is_ultra_restricted ?? false),
    stranger: user.is_stranger ?? false,
    ...(user.is_email_confirmed === false && { unconfirmed: true }),
    ...(email ? { email } : {}),
  };
}
