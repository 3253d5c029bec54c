import type { SelectorDocument } from './document.ts';
import type { Requirement } from './policy.ts';

/** A selector whose keys carry their source (`any:app`), as the engine keeps it between validation and scoping. */
export interface Selector {
  readonly matchLabels: ReadonlyMap<string, string>;
  readonly matchExpressions: readonly SelectorDocument['matchExpressions'][number][];
}

export const NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
export const CLUSTER_LABEL = 'io.cilium.k8s.policy.cluster';
export const NAMESPACE_LABELS_PREFIX = 'io.cilium.k8s.namespace.labels.';

const OPERATORS: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];
const NAME_PART = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The engine's rules for a selector (cilium v1.20.2, pkg/labels/validation.go); undefined = valid. */
export function selectorError(selector: SelectorDocument): string | undefined {
  for (const [key, value] of Object.entries(selector.matchLabels)) {
    const error = keyError(key) ?? valueError(value);
    if (error !== undefined) return `invalid label selector: matchLabels: ${error}`;
  }
  for (const [index, expression] of selector.matchExpressions.entries()) {
    const error = expressionError(expression);
    if (error !== undefined) return `invalid label selector: matchExpressions[${index}].${error}`;
  }
  return undefined;
}

function expressionError({ key, operator, values = [] }: SelectorDocument['matchExpressions'][number]): string | undefined {
  if (!OPERATORS.includes(operator)) return `operator: "${operator}" is not a valid selector operator`;
  const wantsValues = operator === 'In' || operator === 'NotIn';
  if (wantsValues && values.length === 0) return "values: must be specified when `operator` is 'In' or 'NotIn'";
  if (!wantsValues && values.length > 0) return "values: may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
  const key_ = keyError(key);
  if (key_ !== undefined) return `key: ${key_}`;
  const bad = values.map(valueError).find((error) => error !== undefined);
  return bad === undefined ? undefined : `values: ${bad}`;
}

function keyError(key: string): string | undefined {
  const parts = key.split(':');
  if (parts.length > 2) return `"${key}" has more than one source`;
  if (parts.length === 2 && !/^[A-Za-z0-9]+$/.test(parts[0] ?? '')) return `"${key}" has no valid source before the colon`;
  const name = parts.at(-1) ?? '';
  const slashed = name.split('/');
  const last = slashed.at(-1) ?? '';
  const prefix = slashed[0] ?? '';
  const prefixed = slashed.length === 2;
  if (slashed.length > 2 || (prefixed && !(prefix.length <= 253 && SUBDOMAIN.test(prefix)))) return `"${key}" is not a valid label key`;
  if (last.length > 63 || !NAME_PART.test(last)) return `"${key}" is not a valid label key`;
  return undefined;
}

function valueError(value: string): string | undefined {
  return value.length <= 63 && LABEL_VALUE.test(value) ? undefined : `"${value}" is not a valid label value`;
}

/** Keys without a source get one: `any` in Cilium's policies, `k8s` in Kubernetes'. Of `x` and `any:x` the last one written stays. */
export function withSources(selector: SelectorDocument, source = 'any'): Selector {
  const named = (key: string) => (key.includes(':') ? key : `${source}:${key}`);
  return {
    matchLabels: new Map(Object.entries(selector.matchLabels).map(([key, value]) => [named(key), value])),
    matchExpressions: selector.matchExpressions.map((expression) => ({ ...expression, key: named(expression.key) })),
  };
}

export function selectorKeys(selector: Selector): string[] {
  return [...selector.matchLabels.keys(), ...selector.matchExpressions.map(({ key }) => key)];
}

export function withLabel(selector: Selector, key: string, value: string): Selector {
  return { ...selector, matchLabels: new Map([...selector.matchLabels, [key, value]]) };
}

export function withExpression(selector: Selector, key: string, operator: Requirement['operator']): Selector {
  return { ...selector, matchExpressions: [...selector.matchExpressions, { key, operator, values: undefined }] };
}

export function requirementsOf(selector: Selector): Requirement[] {
  return [
    ...[...selector.matchLabels].map(([key, value]) => requirement(key, 'In', [value])),
    ...selector.matchExpressions.map(({ key, operator, values }) =>
      requirement(key, operator as Requirement['operator'], operator === 'In' || operator === 'NotIn' ? (values ?? []) : []),
    ),
  ];
}

/** `source:key` taken apart; a key without a source matches any. */
export function requirement(sourced: string, operator: Requirement['operator'], values: readonly string[] = []): Requirement {
  const colon = sourced.indexOf(':');
  return { source: colon < 0 ? 'any' : sourced.slice(0, colon), key: sourced.slice(colon + 1), operator, values };
}
