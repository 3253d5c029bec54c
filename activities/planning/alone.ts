import type { OperationRequest } from '../../src/domain/lifecycle/operation.ts';
import { EVERYWHERE, formatTarget, isClusterWide, type Target, targetOf } from '../../src/domain/target.ts';
import type { Beside } from '../../src/ports.ts';
import { type Impossible, refused } from './impossible.ts';

/**
 * One that holds a whole cluster and any other there exclude each other. Both look after they have begun, so of two that begin at the same
 * moment at least one sees the other; the first write of what holds the cluster is preceded by one more look (`othersIn`).
 */
export async function checkAlone(beside: Beside, { target }: Pick<OperationRequest, 'target'>): Promise<Impossible | undefined> {
  const { cluster } = target;
  if (!isClusterWide(target)) {
    const holder = await beside.running({ cluster, ...EVERYWHERE });
    return holder && refused('ClusterHeld', { cluster });
  }
  const others = await othersIn(beside, cluster);
  return others.length === 0 ? undefined : refused('ClusterBusy', { cluster, targets: others.map(formatTarget) });
}

/** What runs in a cluster, beside what holds all of it. */
export async function othersIn(beside: Beside, cluster: string): Promise<readonly Target[]> {
  const running = (await beside.listRunning(Number.POSITIVE_INFINITY)).flatMap((at) => targetOf(at) ?? []);
  return running.filter((target) => target.cluster === cluster && !isClusterWide(target));
}
