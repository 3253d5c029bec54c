// Everything that is checked before a request is looked at: where it comes from, whether it came before, who asks.

import type { Claim } from '../audit/requests.ts';
import type { Actor } from '../domain/lifecycle/actor.ts';
import { type Buckets, createBuckets } from './buckets.ts';
import { createCache } from './cache.ts';
import type { BotDeps } from './deps.ts';
import { type Origin, requestIdOf } from './origin.ts';
import { type Refused, refusal } from './refusals.ts';
import { type ChannelRule, channelRule } from './rules.ts';

export type Admitted =
  | {
      readonly kind: 'admitted';
      readonly actor: Actor;
      readonly rule: ChannelRule;
      /** The bot is in the channel, so that what it posts there can be seen and decided on. */
      readonly isMember: boolean;
    }
  | Refused
  /** The same request came before; what it was answered then. */
  | { readonly kind: 'replayed'; readonly answer?: string };

export interface AdmitOptions {
  /** True for what changes something, posts, or asks a cluster: the request's id is claimed first. */
  readonly claim: boolean;
  /** A click asks Slack who the clicker is now. */
  readonly fresh: boolean;
  /** The safe direction (abort, reject, roll back): it has a budget of its own, and a known person may do it while Slack is silent. */
  readonly safe?: boolean;
}

export interface Admission {
  /** What is known without asking anybody outside: where it comes from, and whether this person asks too often. */
  greet(origin: Origin, options?: Pick<AdmitOptions, 'safe'>): Refused | undefined;
  /** Who fills in a form: nothing is begun or claimed by that, and it takes nothing of what a person may ask. */
  know(origin: Origin): Promise<{ readonly kind: 'known'; readonly actor: Actor; readonly rule: ChannelRule } | Refused>;
  /** `greet`, then all that must be asked. */
  admit(origin: Origin, options: AdmitOptions): Promise<Admitted>;
}

const SHARED_KEPT_MS = 60_000;
const SAFE_MS = 300_000;

export function createAdmission(deps: BotDeps): Admission {
  const read = async (channel: string): Promise<Seen> => {
    const info = await deps.web.conversations.info({ channel });
    return { isShared: info.channel?.is_ext_shared === true, isMember: info.channel?.is_member !== false };
  };
  const shared = createCache(read, deps.now);
  const perMinute = (): number => deps.config().slack.requestsPerMinute;
  const budgets = { all: createBuckets(perMinute, deps.now), safe: createBuckets(perMinute, deps.now) };
  const greet: Admission['greet'] = (origin, options) => stranger(deps, origin) ?? refusedOrSpent(deps, budgets, origin, options?.safe);
  return {
    greet,
    know: async (origin) => {
      const rule = channelRule(deps.config(), origin.channelId);
      const refused = stranger(deps, origin) ?? deps.people.refusedBefore(origin.userId);
      if (refused || !rule) return refused ?? refusal('ChannelNotAllowed');
      const identified = await deps.people.identify(origin.userId, { fresh: false });
      return identified.kind === 'refused' ? identified : { kind: 'known', actor: identified.actor, rule };
    },
    admit: async (origin, options) => {
      const rule = channelRule(deps.config(), origin.channelId);
      const refused = greet(origin, options);
      if (refused || !rule) return refused ?? refusal('ChannelNotAllowed');
      const { fresh, safe = false } = options;
      // One after the other would add their times, and Slack waits 3 s in all.
      const [claimed, identified, seen] = await Promise.all([
        options.claim ? claim(deps, origin) : undefined,
        deps.people.identify(origin.userId, { fresh, safe }),
        shared.get(origin.channelId, { maxAgeMs: SHARED_KEPT_MS, staleMs: safe ? SAFE_MS : 0 }).catch(unseen),
      ]);
      if (claimed?.kind === 'refused') return claimed;
      if (claimed?.kind === 'seen') return { kind: 'replayed', ...(claimed.answer === undefined ? {} : { answer: claimed.answer }) };
      if (identified.kind === 'refused') return identified;
      if (typeof seen === 'string') return refusal(seen);
      if (seen.isShared) return refusal('SharedChannel');
      return { kind: 'admitted', actor: identified.actor, rule, isMember: seen.isMember };
    },
  };
}

interface Seen {
  readonly isShared: boolean;
  readonly isMember: boolean;
}

/** Slack hides private channels from whoever is not in them. */
function unseen(error: unknown): 'NotInChannel' | 'SlackSilent' {
  return error instanceof Error && error.message.includes('channel_not_found') ? 'NotInChannel' : 'SlackSilent';
}

function stranger(deps: BotDeps, origin: Origin): Refused | undefined {
  const config = deps.config();
  const { teamIds, appId = deps.appId } = config.slack;
  if (!teamIds.includes(origin.teamId)) return refusal('OtherTeam');
  if (appId !== undefined && appId !== origin.appId) return refusal('OtherApp');
  return channelRule(config, origin.channelId) ? undefined : refusal('ChannelNotAllowed');
}

/** Before the database and Slack are asked: one person must not use up what all others need. */
function refusedOrSpent(
  deps: BotDeps,
  budgets: { readonly all: Buckets; readonly safe: Buckets },
  { teamId, userId }: Origin,
  safe = false,
): Refused | undefined {
  const before = deps.people.refusedBefore(userId);
  if (before) return before;
  const person = `${teamId}/${userId}`;
  if (budgets.all.take(person) || (safe && budgets.safe.take(person))) return undefined;
  return refusal('TooMany');
}

async function claim(deps: BotDeps, origin: Origin): Promise<Claim | Refused> {
  try {
    return await deps.requests.claim(requestIdOf(origin), deps.now());
  } catch (error) {
    deps.log.error({ err: error }, 'a request id could not be claimed; the request is refused');
    return refusal('NoDatabase');
  }
}
