import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { POD, type Pod } from '../../src/clients/kubernetes/objects.ts';
import type { ObjectRef } from '../../src/domain/lifecycle/plan.ts';
import { AT_ONCE, inParallel } from '../../src/fan-out.ts';

/** Those of these pods that are still the same, whole, as they are now: what is kept of thousands is not enough for the few that are written. */
export async function wholePods(
  cluster: Cluster,
  pods: readonly { readonly namespace: string; readonly name: string; readonly uid: string }[],
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const found = await inParallel(pods, AT_ONCE, async ({ namespace, name, uid }) => {
    const ref: ObjectRef = { ...POD, namespace, name };
    const pod = await cluster.read<Pod>(ref, { signal });
    return pod?.metadata.uid === uid ? [pod] : [];
  });
  return found.flat();
}
