// What hostile requests are made of: what an attacker may know, the signature, and the fields that Slack sends.
import { createHmac } from 'node:crypto';
import { parseCommand } from '../../src/domain/commands/parse.ts';
import type { Random } from '../cilium/random.ts';
import { hostileText, pick } from './texts.ts';

/** The place that is attacked, and what an attacker may know of it. */
export interface Known {
  readonly signingSecret: string;
  readonly teamId: string;
  readonly appId: string;
  readonly channelId: string;
  /** Members of the channel who are no approvers of anything. */
  readonly members: readonly string[];
  /** Guests, strangers, accounts that are gone, bots, and ids that nobody has. */
  readonly outsiders: readonly string[];
  /** Values of buttons that are open now. */
  readonly values: readonly string[];
  /** Requests that were taken before, byte for byte. */
  readonly taken: readonly Pick<Hostile, 'body' | 'headers'>[];
  readonly now: () => number;
}

export interface Hostile {
  readonly kind: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export const FORM = 'application/x-www-form-urlencoded';
export const CHANGES = [
  'canary backend 100%',
  'promote backend',
  'ab backend x-a=b',
  'freeze * 1h x',
  'abort backend',
  'rollback backend',
] as const;
/** What members may ask all day. */
const HARMLESS: readonly string[] = ['misunderstood', 'help', 'status', 'history'];
export const CALLBACKS = [
  'meshops:reject-reason',
  'meshops-form:canary',
  'meshops-form:policy-enforce',
  'meshops-check',
  'meshops-enforce',
  'x',
] as const;

export interface Making {
  readonly known: Known;
  readonly random: Random;
  readonly id: string;
}
export type Made = Pick<Hostile, 'headers' | 'body'> & Partial<Pick<Hostile, 'path' | 'method'>>;

/** Signed as Slack signs. */
export function signed({ known }: Making, body: string | Buffer, type: string, at = String(Math.floor(known.now() / 1000))): Made {
  const digest = createHmac('sha256', known.signingSecret).update(`v0:${at}:`).update(body).digest('hex');
  return { headers: { 'content-type': type, 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${digest}` }, body };
}

export function form(making: Making, fields: Readonly<Record<string, string>>): Made {
  return signed(making, new URLSearchParams(fields).toString(), FORM);
}

export function payload(making: Making, value: unknown): Made {
  return form(making, { payload: JSON.stringify(value) });
}

export function commandFields({ known, random, id }: Making, user: string, text: string): Record<string, string> {
  return {
    token: 'x',
    team_id: known.teamId,
    channel_id: known.channelId,
    user_id: user,
    command: pick(random, ['/mesh', '/mesh', '/policy', '/encryption']),
    text,
    api_app_id: known.appId,
    response_url: 'http://127.0.0.1:1/response',
    trigger_id: `T.${id}`,
  };
}

/** A text that means nothing that changes, posts or asks at length. */
export function harmless(random: Random): string {
  for (;;) {
    const text = `${random() < 0.5 ? '' : `${pick(random, ['canary ', 'status ', 'history ', 'enforce ', 'help ', 'on '])}`}${hostileText(random)}`;
    if (['mesh', 'policy', 'encryption'].every((root) => HARMLESS.includes(parseCommand(text, { root: root as 'mesh' }).kind))) return text;
  }
}

export function body({ known, id }: Making, user: string, type: string): Record<string, unknown> {
  return {
    type,
    api_app_id: known.appId,
    team: { id: known.teamId, domain: 'x' },
    user: { id: user, username: 'x', team_id: known.teamId },
    trigger_id: `T.${id}`,
    response_url: 'http://127.0.0.1:1/response',
  };
}
