import { meets } from '../identity.ts';
import type { Requirement } from '../policy.ts';
import { CLUSTER_LABEL, NAMESPACE_LABEL } from '../selector.ts';
import { bitsOf, type Choice, type Classes, classesOf } from './conjunctions.ts';

/** A value that no rule names. */
const OTHER = 'any-other';
/** Keys that every pod has. */
const ALWAYS: readonly string[] = [`k8s:${NAMESPACE_LABEL}`, `k8s:${CLUSTER_LABEL}`];

/**
 * Identity labels of one pod for every set of selectors that can match a pod together. A key without a source is taken for one of
 * Kubernetes; labels of a namespace are taken as free, so there are more pods here than a cluster can have, never fewer.
 */
export function podClasses(selectors: readonly (readonly Requirement[])[], clusterName: string, most: number): Classes<string> {
  const keys = new Map<string, Set<string>>(ALWAYS.map((key) => [key, new Set(key.endsWith(CLUSTER_LABEL) ? [clusterName] : [])]));
  for (const requirement of selectors.flat()) {
    if (requirement.source === 'reserved') continue;
    const key = sourced(requirement);
    const values = keys.get(key) ?? new Set();
    for (const value of requirement.values) values.add(value);
    keys.set(key, values);
  }
  // A pod has no reserved label: what asks for one is never met, what asks for its absence always.
  const possible = bitsOf(selectors, (all) => all.every((one) => one.source !== 'reserved' || meets(one, undefined)));
  const dimensions = [...keys].map(([key, values]) => dimension(key, [...values], selectors, possible));
  const { members, cut } = classesOf(dimensions, selectors.length, most);
  return { members: members.map((labels) => labels.filter((label) => label !== '')), cut };
}

function dimension(
  key: string,
  values: readonly string[],
  selectors: readonly (readonly Requirement[])[],
  possible: bigint,
): readonly Choice<string>[] {
  const choices = [...values, OTHER, ...(ALWAYS.includes(key) ? [] : [undefined])];
  return choices.map((value) => ({
    value: value === undefined ? '' : `${key}=${value}`,
    keeps:
      possible & bitsOf(selectors, (all) => all.every((one) => one.source === 'reserved' || sourced(one) !== key || meets(one, value))),
  }));
}

function sourced({ source, key }: Requirement): string {
  return `${source === 'any' ? 'k8s' : source}:${key}`;
}
