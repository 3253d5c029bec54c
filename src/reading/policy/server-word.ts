import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import { isFailure } from '../../clients/kubernetes/failure.ts';
import { CILIUM_POLICY } from '../../clients/kubernetes/objects.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { KubernetesIdentity } from '../../domain/lifecycle/actor.ts';
import type { Candidate } from '../../domain/policy/change.ts';

/** What the server says to a policy in a strict dry run. */
export type ServerWord =
  | { readonly kind: 'takes' }
  | { readonly kind: 'refuses'; readonly words: string }
  /** The person has not the right to ask. */
  | { readonly kind: 'forbidden'; readonly words: string };

/** Creates the policy, or replaces its spec, with `dryRun=All` and strict fields, as the person who asks. Stores nothing. */
export async function askServer(
  cluster: Cluster,
  { document }: Candidate,
  as: KubernetesIdentity | undefined,
  signal: AbortSignal,
): Promise<ServerWord> {
  // Whoever reads a candidate has checked both.
  const { namespace, name } = document['metadata'] as { readonly namespace: string; readonly name: string };
  const ref = { ...CILIUM_POLICY, namespace, name };
  const options = { signal, as, dryRun: true };
  try {
    const live = await cluster.read(ref, { signal });
    if (live) await cluster.patch(ref, patchOf(live.spec, document), options);
    else await cluster.create(document, ref, options);
    return { kind: 'takes' };
  } catch (error) {
    if (isFailure(error, 'Forbidden')) return { kind: 'forbidden', words: error.message };
    if (isFailure(error, 'Invalid', 'BadRequest', 'Conflict')) return { kind: 'refuses', words: error.message };
    throw error;
  }
}

function patchOf(live: JsonObject | undefined, { spec, specs }: JsonObject): Parameters<Cluster['patch']>[1] {
  return [
    ...(spec === undefined
      ? live === undefined
        ? []
        : [{ op: 'remove' as const, path: '/spec' }]
      : [{ op: 'add' as const, path: '/spec', value: spec }]),
    ...(specs === undefined ? [] : [{ op: 'add' as const, path: '/specs', value: specs }]),
  ];
}
