import { createHash } from 'node:crypto';
import { readPolicies } from '../../../documents/read.ts';
import { isObject, type JsonObject } from '../../../domain/json.ts';
import type { Candidate } from '../../../domain/policy/change.ts';
import { hostWords } from '../../../domain/policy/hosts.ts';

/** A candidate together with the text it was read from: what people wrote is what they are shown. */
export interface WrittenCandidate extends Candidate {
  readonly text: string;
}

export type ReadCandidate =
  | { readonly kind: 'candidate'; readonly candidate: WrittenCandidate }
  | { readonly kind: 'bad'; readonly source: string; readonly words: string };

/**
 * One CiliumNetworkPolicy out of a text that anybody may have written: at most 256 KiB, YAML without aliases, exactly one document.
 * A policy without a namespace is meant for `namespace`; one of another namespace is refused.
 */
export function readCandidate(text: string, source: string, namespace: string): ReadCandidate {
  const bad = (words: string): ReadCandidate => ({ kind: 'bad', source, words });
  const read = readPolicies(text);
  if (!read.ok) return bad(`line ${read.problem.line}: ${read.problem.words}`);
  const [first, ...more] = read.documents;
  if (!first) return bad('it is empty.');
  if (more.length > 0) return bad(`it holds ${more.length + 1} documents; one operation brings one policy into force.`);
  if (!isObject(first.value)) return bad('it is no Kubernetes object.');
  const document = first.value;
  const { kind } = document;
  const forNodes = hostWords(document);
  if (forNodes !== undefined) return bad(forNodes);
  if (kind === 'CiliumClusterwideNetworkPolicy') {
    return bad('it is cluster-wide, and a workload is brought under one policy of its own namespace. Write it as a CiliumNetworkPolicy.');
  }
  if (kind !== 'CiliumNetworkPolicy')
    return bad(`its kind is ${typeof kind === 'string' ? kind.slice(0, 80) : 'missing'}, not CiliumNetworkPolicy.`);
  const metadata = isObject(document['metadata']) ? document['metadata'] : {};
  const own = metadata['namespace'] ?? namespace;
  if (typeof metadata['name'] !== 'string' || metadata['name'] === '') return bad('it has no metadata.name.');
  if (own !== namespace) return bad(`it is written for namespace ${JSON.stringify(own).slice(0, 80)}, not ${namespace}.`);
  const sha256 = createHash('sha256').update(text, 'utf8').digest('hex');
  const whole: JsonObject = { ...document, metadata: { ...metadata, namespace } };
  return { kind: 'candidate', candidate: { document: whole, sha256, source, text } };
}
