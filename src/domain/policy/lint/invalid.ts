import { parsePolicy } from '../parse.ts';
import type { Path } from './finding.ts';
import { withSettingsOn } from './rules/ports.ts';
import { asList, asRecord, type PolicyView, type Raw, type RuleView, viewPolicy } from './view.ts';

interface Invalidity {
  readonly path: Path;
  readonly error: string;
  /** The types fit, and the engine still refuses it. */
  readonly decodes: boolean;
}

/** What the engine's own validity rules say, and the smallest part that they still say it about. */
export function invalidity(written: PolicyView): Invalidity | undefined {
  const value = withSettingsOn(written.value) as Raw;
  const policy = viewPolicy({ path: written.path, value }, written.clusterwide);
  const parsed = parsePolicy(policy.value);
  if (parsed.ok) return undefined;
  if (parsed.stage === 'decode')
    return { path: [...policy.path, ...namedPath(policy.value, parsed.error)], error: parsed.error, decodes: false };
  const error = withoutPlace(parsed.error);
  return { path: smallest(policy, error), error, decodes: true };
}

/** A decoding error begins with its path: as much of it as the document has. */
function namedPath(document: Raw, error: string): Path {
  const path: (string | number)[] = [];
  let value: unknown = document;
  for (const step of (error.split(':')[0] ?? '').split('.')) {
    const list = Array.isArray(value);
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) break;
    path.push(list ? Number(step) : step);
    value = (value as Raw)[step];
  }
  return path;
}

/** `Invalid CiliumNetworkPolicy specs[1]: …` says the place in words that parts of the policy would not share. */
function withoutPlace(error: string): string {
  return error.replace(/^Invalid \w+ specs?(\[\d+\]|\(s\))?: /, '');
}

function has(error: string, document: Raw): boolean {
  const parsed = parsePolicy(document);
  return !parsed.ok && withoutPlace(parsed.error) === error;
}

/** The engine names no place, so the policy is asked about in parts until one of them alone has the same error. */
function smallest(policy: PolicyView, error: string): Path {
  for (const spec of policy.specs) {
    const selectors = { ...shell(policy), spec: { ...selectorsOf(spec.value), ingress: [{}] } };
    if (has(error, selectors)) return [...spec.path, 'endpointSelector' in spec.value ? 'endpointSelector' : 'nodeSelector'];
    for (const rule of spec.rules) if (has(error, partWith(rule, rule.value))) return inRule(rule, error);
    if (has(error, { ...shell(policy), spec: spec.value })) return spec.path;
  }
  return policy.path;
}

function inRule(rule: RuleView, error: string): Path {
  if (has(error, partWith(rule, { ...rule.value, toPorts: undefined }))) return rule.path;
  const index = asList(rule.value['toPorts']).findIndex((group) => has(error, partWith(rule, { ...rule.value, toPorts: [group] })));
  return index < 0 ? rule.path : [...rule.path, 'toPorts', index];
}

function shell({ value }: PolicyView): Raw {
  return { apiVersion: value['apiVersion'], kind: value['kind'], metadata: value['metadata'] };
}

/** A policy of this one rule. */
function partWith(rule: RuleView, value: Raw): Raw {
  const section = String(rule.path.at(-2));
  return { ...shell(rule.spec.policy), spec: { ...selectorsOf(rule.spec.value), [section]: [value] } };
}

function selectorsOf(spec: Raw): Raw {
  return Object.fromEntries(['endpointSelector', 'nodeSelector'].flatMap((key) => (key in spec ? [[key, asRecord(spec[key])]] : [])));
}
