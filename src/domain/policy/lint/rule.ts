import type { Fix, LintContext, PatchOperation, Path, Severity } from './finding.ts';
import { pointer } from './path.ts';
import { child, type Located, type PolicyView, type Raw, type RuleView, records, type SpecView } from './view.ts';

/** What a rule says; place, file and id are added where it is called. */
export interface Draft {
  readonly path: Path;
  readonly happens: string;
  readonly instead: string;
  readonly fix?: Fix;
  /** Further keys that this says everything about. */
  readonly also?: readonly Path[];
  /** Only where it differs from the rule's. */
  readonly severity?: Severity;
}

export type Check = (policy: PolicyView, context: LintContext) => readonly Draft[];

export interface LintRule {
  /** Stable. */
  readonly id: string;
  readonly severity: Severity;
  /** One line for a list of rules. */
  readonly title: string;
  readonly check: Check;
}

export function perSpec(check: (spec: SpecView, context: LintContext) => readonly Draft[]): Check {
  return (policy, context) => policy.specs.flatMap((spec) => check(spec, context));
}

export function perRule(check: (rule: RuleView, context: LintContext) => readonly Draft[]): Check {
  return perSpec((spec, context) => spec.rules.flatMap((rule) => check(rule, context)));
}

/** Each entry of `toPorts`. */
export function perGroup(check: (group: Located<Raw>, rule: RuleView) => readonly Draft[]): Check {
  return perRule((rule) => records(rule, 'toPorts').flatMap((group) => check(group, rule)));
}

/** Each entry of `toPorts[].rules.http`. */
export function perHttp(check: (http: Located<Raw>, siblings: readonly Located<Raw>[]) => readonly Draft[]): Check {
  return perGroup((group) => {
    const rules = child(group, 'rules');
    const all = rules ? records(rules, 'http') : [];
    return all.flatMap((http) => check(http, all));
  });
}

export const fix = (words: string, ...patch: readonly PatchOperation[]): Fix => ({ words, patch });
export const add = (path: Path, value: unknown): PatchOperation => ({ op: 'add', path: pointer(path), value });
export const replace = (path: Path, value: unknown): PatchOperation => ({ op: 'replace', path: pointer(path), value });
export const remove = (path: Path): PatchOperation => ({ op: 'remove', path: pointer(path) });
export const move = (from: Path, to: Path): PatchOperation => ({ op: 'move', from: pointer(from), path: pointer(to) });
