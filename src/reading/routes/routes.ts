import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import { isFailure } from '../../clients/kubernetes/failure.ts';
import { GRPC_ROUTE, HTTP_ROUTE, type Resource, type Route } from '../../clients/kubernetes/objects.ts';

/** Every HTTPRoute and GRPCRoute of all namespaces. */
export async function listRoutes(deps: { readonly cluster: Cluster }, signal: AbortSignal): Promise<readonly Route[]> {
  return (await Promise.all([HTTP_ROUTE, GRPC_ROUTE].map((resource) => listOf(deps, resource, signal)))).flat();
}

/** A cluster without the kind has none of it. */
async function listOf({ cluster }: { readonly cluster: Cluster }, resource: Resource, signal: AbortSignal): Promise<readonly Route[]> {
  try {
    return (await cluster.list<Route>(resource, {}, { signal })).items;
  } catch (error) {
    if (isFailure(error, 'NotFound')) return [];
    throw error;
  }
}
