/** What an agent is started with: cilium-config, and the CiliumNodeConfigs that select its node, as `cilium-dbg build-config` reads them. */
import type { KubeObject } from '../kube/types.ts';

export interface NodeConfig extends KubeObject {
  readonly spec: {
    readonly defaults?: Readonly<Record<string, string>>;
    readonly nodeSelector?: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
    };
  };
}

type Labels = Readonly<Record<string, string>>;

function isSelected({ spec }: NodeConfig, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = spec.nodeSelector ?? {};
  if (!Object.entries(matchLabels).every(([key, value]) => labels[key] === value)) return false;
  return matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key];
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      default:
        return operator === 'DoesNotExist' && value === undefined;
    }
  });
}

/** Of several that select a node the later by name wins. */
export function settingsFor(config: Labels, overrides: readonly NodeConfig[], labels: Labels): Labels {
  const own = overrides
    .filter((override) => isSelected(override, labels))
    .toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
  return Object.assign({}, config, ...own.map(({ spec }) => spec.defaults ?? {}));
}
