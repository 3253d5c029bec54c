import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import { COHORT_LABEL } from '../../../src/domain/policy/stages/rule-document.ts';
import { SERVICE_NAME } from './mesh.ts';

/** One pod leaves its workload or comes back, loses the label of a cohort, or is given one. */
export type Relabelling = 'leaves' | 'returns' | 'strips' | 'joins';

/** Which pod has which labels after it. `own`: the pods of the workload. */
export function relabelled(
  how: Relabelling,
  pods: readonly KubeObject[],
  own: readonly KubeObject[],
): { readonly name: string; readonly labels: Readonly<Record<string, string>> } | undefined {
  const carries = (label: string) => (pod: KubeObject) => pod.metadata.labels?.[label] !== undefined;
  const first = pods.find(carries(COHORT_LABEL));
  switch (how) {
    case 'leaves':
      return without(own.find(carries('app')), 'app');
    case 'returns':
      return having(
        own.find((pod) => !carries('app')(pod)),
        { app: SERVICE_NAME },
      );
    case 'strips':
      return without(first, COHORT_LABEL);
    case 'joins': {
      const cohort = first?.metadata.labels?.[COHORT_LABEL];
      const outside = own.find((pod) => !carries(COHORT_LABEL)(pod));
      return cohort === undefined ? undefined : having(outside, { [COHORT_LABEL]: cohort });
    }
    default:
      return how satisfies never;
  }
}

function having(pod: KubeObject | undefined, more: Readonly<Record<string, string>>) {
  return pod && { name: pod.metadata.name, labels: { ...pod.metadata.labels, ...more } };
}

function without(pod: KubeObject | undefined, label: string) {
  if (!pod) return undefined;
  const { [label]: _, ...labels } = pod.metadata.labels ?? {};
  return { name: pod.metadata.name, labels };
}
