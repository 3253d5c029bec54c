/** Every pod with the Services that select it, and whether it is ready: for panels and scenarios. */
import { isReady, type Pod, type Service, selects } from './kube/types.ts';

export interface ListedPod {
  readonly name: string;
  /** `namespace/name` of the first Service that selects it; its namespace where none does. */
  readonly group: string;
  readonly ready: boolean;
  readonly node: string;
}

export function listPods(pods: Iterable<Pod>, services: ReadonlyMap<string, Service>): readonly ListedPod[] {
  return [...pods].map((pod) => {
    const { name, namespace = '', labels } = pod.metadata;
    const [group] =
      [...services].find(([, { metadata, spec }]) => metadata.namespace === namespace && selects(spec.selector, labels)) ?? [];
    return { name, group: group ?? namespace, ready: isReady(pod), node: pod.spec.nodeName ?? '' };
  });
}
