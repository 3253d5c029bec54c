/** What a pod needs to answer: a backend pod that cannot reach the database answers 503 until it can again. */
import type { Pods } from '../workloads/pods.ts';
import type { Connections } from './connection-truth.ts';

/** Watches the connections named `hop` and tells the pods they start from; returns how to stop. */
export function watchDependency(
  connections: Connections,
  hop: string,
  pods: Pick<Pods, 'setStarved'>,
  onError: (error: unknown) => void,
): () => void {
  const starved = new Set<string>();
  return connections.onConnection(({ name, source, allowed, protocol }) => {
    if (name !== hop) return;
    // A lookup that went through is not yet a connection.
    if (allowed ? protocol !== 'TCP' || !starved.delete(source) : starved.has(source)) return;
    if (!allowed) starved.add(source);
    pods.setStarved(source, !allowed).catch(onError);
  });
}
