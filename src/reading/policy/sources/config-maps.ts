import type { CallOptions, Cluster } from '../../../clients/kubernetes/cluster.ts';
import { CONFIG_MAP, type ConfigMap } from '../../../clients/kubernetes/objects.ts';
import type { CandidateOrigin } from '../../../domain/policy/change.ts';
import type { Target } from '../../../domain/target.ts';

/** A text that may be a policy, and where it stands. */
export interface Offered {
  readonly source: string;
  readonly origin?: CandidateOrigin;
  readonly text: string;
}

const POLICY_KEY = /\.(ya?ml|json)$/;

/** The policies that ConfigMaps of the namespace hold for a workload: label `<label>=<workload>`, data keys that end in .yaml. */
export async function offeredByConfigMaps(
  cluster: Cluster,
  { namespace, name }: Target,
  label: string,
  options: CallOptions,
): Promise<readonly Offered[]> {
  const { items } = await cluster.list<ConfigMap>(CONFIG_MAP, { namespace, labelSelector: `${label}=${name}` }, options);
  return items.flatMap(({ metadata, data = {} }) =>
    Object.entries(data)
      .filter(([key]) => POLICY_KEY.test(key))
      .map(([key, text]) => ({
        source: `ConfigMap ${namespace}/${metadata.name} (${key})`,
        origin: { kind: 'config-map' as const, namespace, name: metadata.name, key, selector: `${label}=${name}` },
        text,
      })),
  );
}
