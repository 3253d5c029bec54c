// Looks again whether whoever has asked for a change may still make it: between the command and the write hours may lie.

import type { Config } from '../domain/config/schema.ts';
import { channelOf, isInScope } from '../domain/config/use.ts';
import type { MayStill } from '../ports.ts';
import type { SlackPeople } from '../slack/people.ts';

/** By the configuration as it is now, and by what Slack says of the person (a minute ago at most). Never rejects. */
export function createMayStill(config: () => Config, people: Pick<SlackPeople, 'identify'>): MayStill {
  return async ({ target: { cluster, namespace }, requester: { name, slack, kubernetes }, channelId }) => {
    const channel = channelOf(config(), channelId);
    if (!channel) return { refused: 'the channel is no longer set up for meshops' };
    if (!isInScope(channel.scope, cluster, namespace)) return { refused: `the channel may no longer name ${cluster}/${namespace}` };
    if (!slack) return {};
    const now = await people.identify(slack.userId);
    if (now.kind === 'refused') return now.code === 'SlackSilent' ? { silent: true } : { refused: `of ${name}: ${now.words}` };
    const { user, groups = [] } = now.actor.kubernetes ?? {};
    if (user !== kubernetes?.user) return { refused: `${name} is somebody else in Kubernetes by now` };
    const lost = kubernetes?.groups.filter((group) => !groups.includes(group)) ?? [];
    return lost.length > 0 ? { refused: `${name} is no longer in ${lost.join(', ')}` } : {};
  };
}
