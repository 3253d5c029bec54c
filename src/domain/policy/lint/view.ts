// A raw policy, cut into the parts that rules look at. Total: what has the wrong type simply has no parts.
import type { Path } from './finding.ts';

export type Raw = Readonly<Record<string, unknown>>;
export interface Located<T> {
  readonly path: Path;
  readonly value: T;
}
export type Direction = 'ingress' | 'egress';

export interface RuleView extends Located<Raw> {
  readonly direction: Direction;
  readonly deny: boolean;
  readonly spec: SpecView;
}

export interface SpecView extends Located<Raw> {
  readonly policy: PolicyView;
  readonly rules: readonly RuleView[];
}

export interface PolicyView extends Located<Raw> {
  readonly clusterwide: boolean;
  /** The policy's own namespace as it is written; `undefined` for clusterwide ones and where it is left to the client. */
  readonly namespace: string | undefined;
  readonly specs: readonly SpecView[];
  /** A value as it is written, where that is known. */
  readonly sourceOf?: ((path: Path) => string | undefined) | undefined;
}

export function asRecord(value: unknown): Raw | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : undefined;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The mapping below a key. */
export function child(at: Located<Raw>, key: string): Located<Raw> | undefined {
  const value = asRecord(at.value[key]);
  return value && { path: [...at.path, key], value };
}

/** The entries of the list below a key. */
export function items(at: Located<Raw>, key: string): readonly Located<unknown>[] {
  return asList(at.value[key]).map((value, index) => ({ path: [...at.path, key, index], value }));
}

/** The entries of the list below a key that are mappings. */
export function records(at: Located<Raw>, key: string): readonly Located<Raw>[] {
  return items(at, key).flatMap(({ path, value }) => {
    const record = asRecord(value);
    return record ? [{ path, value: record }] : [];
  });
}

const SECTIONS = [
  ['ingress', 'ingress', false],
  ['ingressDeny', 'ingress', true],
  ['egress', 'egress', false],
  ['egressDeny', 'egress', true],
] as const;

export function viewPolicy(at: Located<Raw>, clusterwide: boolean, sourceOf?: PolicyView['sourceOf']): PolicyView {
  const namespace = asRecord(at.value['metadata'])?.['namespace'];
  const specs: SpecView[] = [];
  const policy = { ...at, clusterwide, namespace: !clusterwide && typeof namespace === 'string' ? namespace : undefined, specs, sourceOf };
  const single = child(at, 'spec');
  for (const one of [...(single ? [single] : []), ...records(at, 'specs')]) specs.push(viewSpec(one, policy));
  return policy;
}

function viewSpec(at: Located<Raw>, policy: PolicyView): SpecView {
  const rules: RuleView[] = [];
  const spec = { ...at, policy, rules };
  for (const [section, direction, deny] of SECTIONS) {
    for (const one of records(at, section)) rules.push({ ...one, direction, deny, spec });
  }
  return spec;
}

/** Whether the pods of this spec are closed in this direction by it: Cilium's own defaults (`Rule.Sanitize`, v1.20.2). */
export function deniesByDefault(spec: SpecView, direction: Direction): boolean {
  const given = asRecord(spec.value['enableDefaultDeny'])?.[direction];
  return typeof given === 'boolean' ? given : spec.rules.some((rule) => rule.direction === direction);
}
