// Reads are made as whoever asks: nobody learns through meshops what the cluster would not tell them.

import type { Actor } from '../domain/lifecycle/actor.ts';
import type { Target } from '../domain/target.ts';
import type { BotDeps } from './deps.ts';
import { clusterSilent } from './policy/candidate.ts';
import { type Refused, refusalOf } from './refusals.ts';

/** What a read shows, and what one must be allowed to list for it. */
export const SHOWN = {
  policies: [
    { verb: 'list', group: '', resource: 'pods' },
    { verb: 'list', group: 'cilium.io', resource: 'ciliumnetworkpolicies' },
  ],
  routes: [{ verb: 'list', group: 'gateway.networking.k8s.io', resource: 'httproutes' }],
} as const;

const ASK_MS = 1_500;

/** Why this person may not read that of a namespace. A cluster that does not say refuses. */
export async function refuseRead(
  deps: BotDeps,
  { id, kubernetes }: Actor,
  { cluster, namespace }: Pick<Target, 'cluster' | 'namespace'>,
  what: keyof typeof SHOWN,
): Promise<Refused | undefined> {
  if (!kubernetes) return refusalOf({ code: 'NoIdentity', parameters: { email: id } });
  try {
    const rights = SHOWN[what].map((right) => ({ ...right, namespace }));
    const lacking = await deps.lacking(cluster, rights, kubernetes, AbortSignal.timeout(ASK_MS));
    if (!lacking) return undefined;
    const named = `${lacking.verb} ${lacking.resource} in ${namespace}`;
    return refusalOf({ code: 'MayNotRead', parameters: { who: kubernetes.user, what: named } });
  } catch (error) {
    return refusalOf(clusterSilent(cluster, error));
  }
}
