import { createHash } from 'node:crypto';
import type { Cluster } from '../../../clients/kubernetes/cluster.ts';
import { canonicalJson } from '../../../domain/json.ts';
import { formatTarget, type Target } from '../../../domain/target.ts';
import type { Refusal } from '../../../domain/words/sentences.ts';
import { type Offered, offeredByConfigMaps } from './config-maps.ts';
import { offeredByFolder } from './folder.ts';
import { type ReadCandidate, readCandidate, type WrittenCandidate } from './read-candidate.ts';

export type FoundCandidate =
  | {
      readonly kind: 'found';
      readonly candidate: WrittenCandidate;
      /** Another source holds a different policy for the workload; the sentence says which was taken. */
      readonly note?: string;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface CandidateSources {
  readonly cluster: Cluster;
  readonly label: string;
  readonly folder: string | undefined;
  /** Reads a text that anybody may have written, apart from this thread perhaps. */
  readonly read?: (text: string, source: string, namespace: string) => Promise<ReadCandidate> | ReadCandidate;
}

/**
 * The candidate for a workload. A ConfigMap comes before the folder; two different ones in ConfigMaps are a question for people, since
 * nothing says which is meant. A file in the thread comes before both and does not pass here (`thread-file.ts`).
 */
export async function findCandidate(sources: CandidateSources, target: Target, signal: AbortSignal): Promise<FoundCandidate> {
  const { cluster, label, folder, read: reads = readCandidate } = sources;
  const [mapped, mounted] = await Promise.all([
    offeredByConfigMaps(cluster, target, label, { signal }),
    folder === undefined ? [] : offeredByFolder(folder, target),
  ]);
  const different = distinct(mapped);
  const workload = formatTarget(target);
  if (different.length > 1) {
    return {
      kind: 'refused',
      refusal: { code: 'ManyCandidates', parameters: { workload, candidates: mapped.map(({ source }) => source) } },
    };
  }
  const offered = different[0] ?? mounted[0];
  if (!offered) return { kind: 'refused', refusal: { code: 'NoCandidate', parameters: { workload, looked: lookedFor(sources, target) } } };
  const read = await reads(offered.text, offered.source, target.namespace);
  if (read.kind === 'bad')
    return { kind: 'refused', refusal: { code: 'BadCandidate', parameters: { source: read.source, words: read.words } } };
  const candidate = { ...read.candidate, ...(offered.origin && { origin: offered.origin }) };
  const other = different[0] && mounted[0];
  const second = other && (await reads(other.text, other.source, target.namespace));
  if (!other || isSame(second, candidate)) return { kind: 'found', candidate };
  return { kind: 'found', candidate, note: `The ${other.source} holds a different policy for it; the ${offered.source} comes first.` };
}

function lookedFor({ label, folder }: CandidateSources, { namespace, name }: Target): readonly string[] {
  const map = `a ConfigMap in ${namespace} with the label ${label}=${name}`;
  return [map, folder === undefined ? 'a policy folder (none is configured)' : `${namespace}/${name}.yaml in the policy folder`];
}

/** Texts that differ; the first of those that are equal. */
function distinct(offered: readonly Offered[]): readonly Offered[] {
  const seen = new Map<string, Offered>();
  for (const one of offered) {
    const key = createHash('sha256').update(one.text).digest('hex');
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
}

function isSame(other: ReadCandidate | undefined, candidate: WrittenCandidate): boolean {
  return other?.kind === 'candidate' && canonicalJson(other.candidate.document) === canonicalJson(candidate.document);
}
