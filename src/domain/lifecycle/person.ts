import type { Actor } from './actor.ts';

/** Dots say nothing in these mailboxes. */
const DOTLESS: readonly string[] = ['gmail.com', 'googlemail.com'];

/** What two addresses of one mailbox have in common: what comes after a plus is chosen by whoever writes the address. */
export function mailboxOf(address: string): string {
  const id = address.toLowerCase();
  const at = id.lastIndexOf('@');
  const [local = '', domain] = [id.slice(0, at).split('+')[0], id.slice(at + 1)];
  return `${DOTLESS.includes(domain) ? local.replaceAll('.', '') : local}@${domain}`;
}

/** One person by address or by account: an address can be changed, and one mailbox has many. */
export function isSamePerson(one: Pick<Actor, 'id' | 'slack'>, other: Pick<Actor, 'id' | 'slack'>): boolean {
  const isAccount = one.slack !== undefined && one.slack.teamId === other.slack?.teamId && one.slack.userId === other.slack.userId;
  return isAccount || mailboxOf(one.id) === mailboxOf(other.id);
}
