import type { ChangeOptions, CommandName } from '../domain/commands/command.ts';
import type { Config } from '../domain/config/schema.ts';
import { channelOf, refuseVerb, resolveTarget, settingsFor } from '../domain/config/use.ts';
import type { OperationSettings } from '../domain/lifecycle/settings.ts';
import type { Target, TargetText } from '../domain/target.ts';
import { type Refused, refusalOf } from './refusals.ts';

/** A namespace, or (without one) a whole cluster. */
export interface Place {
  readonly cluster: string;
  readonly namespace?: string;
}

/** What the configuration says for one channel. */
export interface ChannelRule {
  /** Where what is named here can be. */
  readonly places: readonly Place[];
  /** Why the verb may not be used here, or undefined. */
  refuse(verb: CommandName): Refused | undefined;
  /** A bare name means the channel's default cluster and namespace. */
  resolve(text: TargetText, verb: CommandName): Target | Refused;
  /** Everything of the configuration that the operation needs, with what the person typed on top. */
  settings(target: Target, verb: CommandName, options: ChangeOptions): OperationSettings;
}

/** The rules of one channel, or undefined when it is not set up for meshops. */
export function channelRule(config: Config, channelId: string): ChannelRule | undefined {
  const channel = channelOf(config, channelId);
  if (!channel) return undefined;
  return {
    places: placesOf(config, channel),
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

function placesOf({ clusters }: Config, { scope, cluster }: Config['channels'][number]): readonly Place[] {
  if (!scope) return (cluster === undefined ? Object.keys(clusters) : [cluster]).map((one) => ({ cluster: one }));
  return scope.flatMap((one) => {
    const [name = '', namespace] = one.split('/');
    return Object.hasOwn(clusters, name) ? [{ cluster: name, ...(namespace !== undefined && { namespace }) }] : [];
  });
}
