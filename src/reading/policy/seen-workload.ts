import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import type { NamedPort } from '../../domain/policy/flow.ts';
import type { Target } from '../../domain/target.ts';
import { namedPortsOf } from './subject.ts';
import { isOf, readIdentities, selectorOf } from './workload.ts';
import { findWorkload } from './workload-kinds.ts';

/** A workload as its policies see it. */
export interface SeenWorkload {
  readonly kind: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Live pods with their identity labels. */
  readonly pods: readonly {
    readonly name: string;
    readonly labels: readonly string[];
    readonly ip: string;
    readonly namedPorts: readonly NamedPort[];
  }[];
}

/** The workload of this name with its pods, undefined when there is none. */
export async function readWorkload(cluster: Cluster, target: Target, signal: AbortSignal): Promise<SeenWorkload | undefined> {
  const workload = await findWorkload(cluster, target, signal);
  const { matchLabels: selector = {} } = workload ? selectorOf(workload) : {};
  if (!workload || Object.keys(selector).length === 0) return undefined;
  const identities = await readIdentities(cluster, { namespace: target.namespace }, signal);
  const pods = identities.live
    .filter((pod) => isOf(workload, pod))
    .map((pod) => ({
      name: pod.metadata.name,
      labels: identities.of(pod),
      ip: pod.status?.podIP ?? '',
      namedPorts: namedPortsOf(pod),
    }));
  return { kind: workload.kind, selector, pods };
}
