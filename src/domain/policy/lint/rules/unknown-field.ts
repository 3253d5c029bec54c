import { nearest } from '../../../commands/nearest.ts';
import type { Path } from '../finding.ts';
import { type Draft, fix, type LintRule, move } from '../rule.ts';
import { POLICY_SHAPE, type Shape } from '../schema.ts';
import { asList, asRecord } from '../view.ts';

/** Any key that the kind does not have. Keys that a rule of their own speaks about are left to it. */
export const unknownField: LintRule = {
  id: 'unknown-field',
  severity: 'error',
  title: 'The field does not exist',
  check: ({ path, value }) => unknownFields(value, path, POLICY_SHAPE),
};

/** Every key that the shape does not have. On the object itself, what is none of its parts means nothing. */
export function unknownFields(value: unknown, path: Path, shape: Shape): readonly Draft[] {
  return unknownIn(value, path, shape).map((draft) => (draft.path.length === path.length + 1 ? onTheObject(draft) : draft));
}

const PARTS = /^(spec|ingress|egress|endpoint|node|pod|policy|enable|rule)/i;

function onTheObject(draft: Draft): Draft {
  const key = String(draft.path.at(-1));
  if (draft.fix || PARTS.test(key)) return draft;
  return {
    path: draft.path,
    severity: 'note',
    happens: `There is no field \`${key}\` on the object: a server drops it, one that is asked strictly refuses it, and nothing of the policy depends on it.`,
    instead: `Remove it${key === 'description' ? ', or put it below `spec`' : ''}.`,
  };
}

function unknownIn(value: unknown, path: Path, shape: Shape): readonly Draft[] {
  if (shape === true || 'type' in shape) return [];
  if ('each' in shape) return asList(value).flatMap((item, index) => unknownIn(item, [...path, index], shape.each));
  return Object.entries(asRecord(value) ?? {}).flatMap(([key, inner]) => {
    const known = Object.hasOwn(shape.keys, key) ? shape.keys[key] : shape.others;
    return known === undefined ? [unknown(key, path, value, Object.keys(shape.keys))] : unknownIn(inner, [...path, key], known);
  });
}

/** Words of other policy languages, and what they are called here. They come before what merely looks alike. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  from: 'fromEndpoints',
  to: 'toEndpoints',
  podSelector: 'endpointSelector',
  ipBlock: 'fromCIDRSet or toCIDRSet',
  ports: 'toPorts',
  policyTypes: 'enableDefaultDeny',
  L7: 'rules',
};

function unknown(key: string, path: Path, around: unknown, allowed: readonly string[]): Draft {
  const at = [...path, key];
  const elsewhere = Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined;
  const alike = nearest(key, allowed) ?? allowed.find((one) => one.toLowerCase() === key.toLowerCase());
  const near = elsewhere === undefined ? alike : SAME_FORM.includes(key) ? elsewhere : undefined;
  const hint = near ?? elsewhere;
  const free = near !== undefined && allowed.includes(near) && !Object.hasOwn(asRecord(around) ?? {}, near);
  return {
    path: at,
    happens: `There is no field \`${key}\` here: the server drops it without a word, ${consequence(key, path)}.`,
    instead: `${hint === undefined ? 'Say it with a field that there is, or leave it out if nothing depends on it.' : `Did you mean \`${hint}\`?`} Allowed here: ${allowed.join(', ')}.`,
    ...(free ? { fix: fix(`Call it \`${near}\``, move(at, [...path, near])) } : {}),
  };
}

/** What stands below it may stay as it is. */
const SAME_FORM: readonly string[] = ['podSelector'];

/** What is left when the key is gone, by the place it stood in. */
function consequence(key: string, path: Path): string {
  const inside = path.findLast((step) => typeof step === 'string');
  const inRule = typeof path.at(-1) === 'number';
  if (inRule && /^(from|to)/.test(key) && ['ingress', 'egress', 'ingressDeny', 'egressDeny'].includes(String(inside))) {
    return 'and the rule is left without these peers: with ports it then means everybody, without ports nobody';
  }
  if (/(Endpoints|Selector|selector)$/.test(String(inside))) return 'and the selector selects more than it says';
  if (inside === 'http' || inside === 'dns') return 'and the entry permits more than it says';
  return 'and the policy means something else than it says';
}
