// Everything that is checked before a request is looked at: where it comes from, whether it came before, who asks.

import type { Claim } from '../audit/requests.ts';
import type { Actor } from '../domain/actor.ts';
import { createCache } from './cache.ts';
import type { BotDeps } from './deps.ts';
import { type Refused, refusal } from './refusals.ts';
import { type ChannelRule, channelRule } from './rules.ts';

export interface Origin {
  readonly teamId: string;
  readonly appId: string | undefined;
  readonly channelId: string;
  readonly userId: string;
  /** Slack's trigger_id: another one for every click and command, the same in a replay. */
  readonly triggerId: string;
}

export type Admitted =
  | { readonly kind: 'admitted'; readonly actor: Actor; readonly rule: ChannelRule }
  | Refused
  /** The same request came before; what it was answered then. */
  | { readonly kind: 'replayed'; readonly answer?: string };

export interface AdmitOptions {
  /** True for what changes something: the request's id is claimed first. */
  readonly claim: boolean;
  /** A click asks Slack who the clicker is now. */
  readonly fresh: boolean;
}

export interface Admission {
  admit(origin: Origin, options: AdmitOptions): Promise<Admitted>;
}

const SHARED_KEPT_MS = 60_000;

export function createAdmission(deps: BotDeps): Admission {
  const shared = createCache(async (channel) => {
    const info = await deps.web.conversations.info({ channel });
    return info.channel?.is_ext_shared === true;
  }, deps.now);
  return {
    admit: async (origin, options) => {
      const config = deps.config();
      const { teamIds, appId } = config.slack;
      if (!teamIds.includes(origin.teamId)) return refusal('OtherTeam');
      if (appId !== undefined && appId !== origin.appId) return refusal('OtherApp');
      const rule = channelRule(config, origin.channelId);
      if (!rule) return refusal('ChannelNotAllowed');
      // One after the other would add their times, and Slack waits 3 s in all.
      const [claimed, identified, isShared] = await Promise.all([
        options.claim ? claim(deps, origin) : undefined,
        deps.people.identify(origin.userId, { fresh: options.fresh }),
        shared.get(origin.channelId, SHARED_KEPT_MS).catch(() => 'unknown' as const),
      ]);
      if (claimed?.kind === 'refused') return claimed;
      if (claimed?.kind === 'seen') return { kind: 'replayed', ...(claimed.answer === undefined ? {} : { answer: claimed.answer }) };
      if (identified.kind === 'refused') return identified;
      if (isShared === 'unknown') return refusal('SlackSilent');
      if (isShared) return refusal('SharedChannel');
      return { kind: 'admitted', actor: identified.actor, rule };
    },
  };
}

async function claim(deps: BotDeps, origin: Origin): Promise<Claim | Refused> {
  try {
    return await deps.requests.claim(requestIdOf(origin), deps.now());
  } catch (error) {
    deps.log.error({ err: error }, 'a request id could not be claimed; the request is refused');
    return refusal('NoDatabase');
  }
}

export function requestIdOf(origin: Origin): string {
  return `slack:${origin.triggerId}`;
}
