import type { Fields } from '../lifecycle/plan.ts';
import { weightAt } from './stages.ts';

/** One rule in the managed fields of a route. */
export interface RuleFields {
  /** JSON pointer of the rule. */
  readonly rule: string;
  /** JSON pointers of its backends. */
  readonly backends: readonly string[];
}

export function rulesIn(fields: Fields): readonly RuleFields[] {
  const rules = new Map<string, string[]>();
  for (const pointer of Object.keys(fields)) {
    const [, base, rule] = /^((.*)\/backendRefs\/\d+)\/name$/.exec(pointer) ?? [];
    if (base !== undefined && rule !== undefined) rules.set(rule, [...(rules.get(rule) ?? []), base]);
  }
  return [...rules].map(([rule, backends]) => ({ rule, backends }));
}

/** The share of one backend in its rule, 0..1 (0 where nobody has any). */
export function shareIn(fields: Fields, backends: readonly string[], base: string): number {
  const total = backends.reduce((sum, each) => sum + weightAt(fields, each), 0);
  return total === 0 ? 0 : weightAt(fields, base) / total;
}

/** The share of several backends of one rule together. */
export function shareOfAll(fields: Fields, backends: readonly string[], some: readonly string[]): number {
  return some.reduce((sum, base) => sum + shareIn(fields, backends, base), 0);
}

export function nameAt(fields: Fields, base: string): string {
  const name = fields[`${base}/name`];
  return typeof name === 'string' ? name : '';
}

/** `/spec/rules/2` is 2. */
export function indexOf(rule: string): number {
  return Number(rule.slice(rule.lastIndexOf('/') + 1));
}
