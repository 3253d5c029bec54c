import { hasPlaceholders } from '../domain/policy/lint/placeholders.ts';
import { isPolicyObject, objectsIn } from '../domain/policy/objects.ts';
import { parsePolicy } from '../domain/policy/parse.ts';
import type { Policy } from '../domain/policy/policy.ts';
import { OWN_FILES, readPolicies } from './read.ts';

interface Asked {
  /** Where a policy that names no namespace goes, as kubectl would fill it in. */
  readonly namespace?: string | undefined;
  readonly clusterName?: string | undefined;
}

interface PoliciesIn {
  readonly policies: readonly Policy[];
  /** Why some are not among them; each stands for one text or policy. */
  readonly problems: readonly string[];
  /** Objects of other kinds. */
  readonly others: number;
}

/** The policies of several texts as they are decided. Whatever cannot be decided is a problem: none is left out without a word. */
export function policiesIn(texts: readonly { readonly file: string; readonly text: string }[], asked: Asked): PoliciesIn {
  const found = { policies: [] as Policy[], problems: [] as string[], others: 0 };
  for (const { file, text } of texts) {
    const read = readPolicies(text, OWN_FILES);
    if (!read.ok) {
      found.problems.push(`${file}:${read.problem.line}: ${read.problem.words}`);
      continue;
    }
    for (const object of read.documents.flatMap(({ value }) => objectsIn(value))) {
      if (!isPolicyObject(object)) {
        found.others += 1;
        continue;
      }
      const policy = policyOf(object.value, asked);
      if (typeof policy === 'string') found.problems.push(`${file}: ${policy}`);
      else found.policies.push(policy);
    }
  }
  return found;
}

function policyOf(object: Readonly<Record<string, unknown>>, { namespace, clusterName }: Asked): Policy | string {
  const metadata = typeof object['metadata'] === 'object' && object['metadata'] !== null ? (object['metadata'] as object) : {};
  const { name = '', namespace: own } = metadata as { readonly name?: unknown; readonly namespace?: unknown };
  const isNamespaced = object['kind'] !== 'CiliumClusterwideNetworkPolicy';
  const isBare = isNamespaced && (own === undefined || own === null || own === '');
  if (isBare && namespace === undefined)
    return `policy ${String(name)} names no namespace. kubectl would fill one in: name it with --namespace.`;
  if (hasPlaceholders(object)) return `policy ${String(name)} has placeholders (\${…} or {{…}}): fill them in first.`;
  const whole = isBare ? { ...object, metadata: { ...metadata, namespace } } : object;
  const parsed = parsePolicy(whole, clusterName === undefined ? {} : { clusterName });
  return parsed.ok ? parsed.policy : `${parsed.policy || 'a policy'} would be rejected: ${parsed.error}`;
}
