import type { ChangeOptions } from '../domain/command.ts';
import type { Config } from '../domain/config/schema.ts';
import { channelOf, refuseVerb, resolveTarget, settingsFor } from '../domain/config/use.ts';
import type { OperationSettings } from '../domain/settings.ts';
import type { Target, TargetText } from '../domain/target.ts';
import type { CommandName } from '../domain/verbs.ts';
import { type Refused, refusalOf } from './refusals.ts';

/** What the configuration says for one channel. */
export interface ChannelRule {
  /** Why the verb may not be used here, or undefined. */
  refuse(verb: CommandName): Refused | undefined;
  /** A bare name means the channel's default cluster and namespace. */
  resolve(text: TargetText, verb: CommandName): Target | Refused;
  /** Everything of the configuration that the operation needs, with what the person typed on top. */
  settings(target: Target, verb: CommandName, options: ChangeOptions): OperationSettings;
}

/** The rules of one channel, or undefined when it is not set up for meshops. */
export function channelRule(config: Config, channelId: string): ChannelRule | undefined {
  if (!channelOf(config, channelId)) return undefined;
  return {
    refuse: (verb) => {
      const refused = refuseVerb(config, channelId, verb);
      return refused && refusalOf(refused);
    },
    resolve: (text, verb) => {
      const target = resolveTarget(config, channelId, text, verb);
      return 'refusal' in target ? refusalOf(target.refusal) : target;
    },
    settings: (target, verb, options) => settingsFor(config, target, verb, options),
  };
}

export function isRefused(value: Target | Refused): value is Refused {
  return 'words' in value;
}
