import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Cluster } from '../../../clients/kubernetes/cluster.ts';
import { CONFIG_MAP, type ConfigMap } from '../../../clients/kubernetes/objects.ts';
import type { Candidate, CandidateOrigin } from '../../../domain/policy/change.ts';

/**
 * Reads the source of a candidate again. Undefined: it still says what was asked for; else how it differs, in a sentence. People approve a
 * text, and what stands under its name by then may be another one.
 */
export async function changedSince(
  cluster: Cluster,
  { origin, sha256, source }: Candidate,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!origin) return undefined;
  const text = await textOf(cluster, origin, signal);
  if (text === undefined) return `${source} was deleted after the command was given.`;
  const now = createHash('sha256').update(text, 'utf8').digest('hex');
  if (now === sha256) return undefined;
  return `${source} was changed after the command was given: it was ${sha256.slice(0, 12)}, it is ${now.slice(0, 12)} now.`;
}

async function textOf(cluster: Cluster, origin: CandidateOrigin, signal: AbortSignal): Promise<string | undefined> {
  if (origin.kind === 'config-map') {
    const { namespace, name, key, selector } = origin;
    // The right to list is all that is granted, and all that finding it has needed.
    const { items } = await cluster.list<ConfigMap>(CONFIG_MAP, { namespace, labelSelector: selector }, { signal });
    return items.find(({ metadata }) => metadata.name === name)?.data?.[key];
  }
  try {
    return await readFile(origin.path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
