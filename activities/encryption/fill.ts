import { POD, type Pod } from '../../src/clients/kubernetes/objects.ts';
import type { Shared } from '../../src/domain/lifecycle/contract.ts';
import type { Write } from '../../src/domain/lifecycle/plan.ts';
import type { VerbDeps } from '../watch/verb-steps.ts';
import { replacement } from './writes.ts';

type Fill = Shared['fill'];

/** The stage with the agents that are there now: one that came back by itself since the plan has another name, and does not know the change. */
export async function fillAgents(
  { cluster }: Pick<VerbDeps, 'cluster'>,
  { stage }: Parameters<Fill>[0],
  signal: AbortSignal,
): Promise<Awaited<ReturnType<Fill>>> {
  const first = stage.writes.find(({ kind }) => kind === 'replace');
  if (!first) return { stage, originals: [] };
  const { items } = await cluster.list<Pod>(POD, { namespace: first.object.namespace }, { signal });
  const writes = stage.writes.map((write): Write => {
    if (write.kind !== 'replace' || !write.successor) return write;
    const { nodeName, ownerUid, batch = 0, withinMs = 0 } = write.successor;
    const pod = items.find(
      ({ metadata, spec }) =>
        spec.nodeName === nodeName &&
        metadata.deletionTimestamp === undefined &&
        metadata.ownerReferences?.some(({ uid }) => uid === ownerUid) === true,
    );
    if (!pod || pod.metadata.uid === write.uid) return write;
    return replacement(pod, { node: nodeName, batch, agentMs: withinMs });
  });
  return { stage: { ...stage, writes }, originals: [] };
}
