import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import { NAMESPACE } from '../../clients/kubernetes/objects.ts';
import { findWorkload } from './workload-kinds.ts';

/** In a bigger cluster a bare name is the channel's alone: to look everywhere would take longer than a command may. */
const MOST_NAMESPACES = 100;

/** Namespaces that have a workload of this name. One that is looked at first, and has it, is the only answer. */
export async function namespacesOf(
  cluster: Cluster,
  { name, first }: { readonly name: string; readonly first: string | undefined },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const isIn = async (namespace: string): Promise<boolean> => (await findWorkload(cluster, { namespace, name }, signal)) !== undefined;
  if (first !== undefined && (await isIn(first))) return [first];
  const { items } = await cluster.list(NAMESPACE, {}, { signal, part: ({ metadata }) => metadata.name });
  const others = items.filter((namespace) => namespace !== first);
  if (others.length > MOST_NAMESPACES) return [];
  const found = await Promise.all(others.map(async (namespace) => ((await isIn(namespace)) ? [namespace] : [])));
  return found.flat().toSorted();
}
