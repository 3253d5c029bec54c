/**
 * Plays the operator's validation of Cilium's policies: the one condition `Valid`, true or with the engine's reason (v1.20.2
 * operator/pkg/networkpolicy). It says "parsed", not "in force", and names no generation.
 */
import { type Kube, KubeError, type Resource } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import type { CiliumPolicy, PolicyCondition } from '../kube/types.ts';
import type { World } from '../world.ts';
import { readPolicy } from './rule-book.ts';

/** The condition of a policy, without its time. */
export function validity(object: CiliumPolicy, kind: string): Omit<PolicyCondition, 'lastTransitionTime'> {
  const read = readPolicy({ kind, ...object });
  if ('error' in read) return { type: 'Valid', status: 'False', message: read.error };
  return { type: 'Valid', status: 'True', message: 'Policy validation succeeded' };
}

/** The loop body; `now` in Unix milliseconds. */
export function createPolicyStatus(kube: Kube, world: World, now: () => number): { reconcile(): Promise<void> } {
  const put = async (of: Resource, kind: string, object: CiliumPolicy): Promise<void> => {
    const wanted = validity(object, kind);
    const conditions = object.status?.conditions ?? [];
    const before = conditions.find((each) => each.type === 'Valid');
    if (before?.status === wanted.status && before.message === wanted.message) return;
    const sameStatus = before?.status === wanted.status;
    const at = new Date(Math.floor(now() / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
    const condition = { ...wanted, lastTransitionTime: (sameStatus ? before.lastTransitionTime : undefined) ?? at };
    const others = conditions.filter((each) => each.type !== 'Valid');
    await kube.merge(of, object, { status: { conditions: [...others, condition] } }, 'status').catch((error: unknown) => {
      // Deleted meanwhile: nothing left to report on.
      if (!(error instanceof KubeError && error.status === 404)) throw error;
    });
  };
  return {
    reconcile: async () => {
      for (const each of world.ciliumPolicies.objects.values()) await put(resources.ciliumPolicies, 'CiliumNetworkPolicy', each);
      for (const each of world.clusterwidePolicies.objects.values())
        await put(resources.clusterwidePolicies, 'CiliumClusterwideNetworkPolicy', each);
    },
  };
}
