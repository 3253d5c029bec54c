import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { isFailure } from '../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import { selects } from '../../src/domain/encryption/mode.ts';

const DISRUPTION_BUDGET = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } as const;

interface Budget extends KubeObject {
  readonly status?: { readonly disruptionsAllowed?: number };
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

/** A PodDisruptionBudget that lets fewer go at once than are to. */
export interface Tight {
  readonly name: string;
  readonly allowed: number;
}

/**
 * The tightest of the budgets of pods with these labels that lets fewer than `count` go now. A pod that is deleted asks no budget (only an
 * eviction does), so whoever deletes must. Budgets that may not be read are not known.
 */
export async function tightBudget(
  cluster: Pick<Cluster, 'list'>,
  { namespace, labels, count }: { readonly namespace: string; readonly labels: Readonly<Record<string, string>>; readonly count: number },
  signal: AbortSignal,
): Promise<Tight | undefined> {
  const { items } = await cluster.list<Budget>(DISRUPTION_BUDGET, { namespace }, { signal }).catch((error: unknown) => {
    if (isFailure(error, 'Forbidden', 'NotFound')) return { items: [] };
    throw error;
  });
  const tight = items.flatMap(({ metadata, spec, status }): readonly Tight[] => {
    const allowed = status?.disruptionsAllowed ?? 1;
    return covers(spec?.['selector'] as Selector | null | undefined, labels) && allowed < count ? [{ name: metadata.name, allowed }] : [];
  });
  return tight.toSorted((a, b) => a.allowed - b.allowed)[0];
}

/** An empty selector is for all pods of its namespace, none at all for no pod (policy/v1). */
function covers(selector: Selector | null | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (!selector) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return selects({ name: '', labels: matchLabels, expressions: matchExpressions, settings: {} }, labels);
}
