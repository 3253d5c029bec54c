import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { GATEWAY, type Gateway } from '../../src/clients/kubernetes/objects.ts';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { ObjectRef } from '../../src/domain/lifecycle/plan.ts';
import type { Log } from '../../src/log.ts';

/** Where people reach the routes: what fails before it comes to a pod carries such an address. */
export async function gatewayAddresses(
  { cluster, log }: { readonly cluster: Cluster; readonly log: Log },
  routes: CanaryDetails['routes'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const parents = routes.flatMap((route) => route.parents).filter(({ kind }) => kind === 'Gateway');
  const refs = new Map(parents.map(({ namespace, name }) => [`${namespace}/${name}`, { ...GATEWAY, namespace, name }]));
  const read = async (ref: ObjectRef): Promise<Gateway | undefined> =>
    cluster.read<Gateway>(ref, { signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      log.warn({ err: error, gateway: ref.name }, 'the gateway cannot be read: its own errors are not heard');
      return undefined;
    });
  const found = await Promise.all([...refs.values()].map(read));
  return found.flatMap((gateway) => (gateway?.status?.addresses ?? []).flatMap(({ value }) => value ?? []));
}
