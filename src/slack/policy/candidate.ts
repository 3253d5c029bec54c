// The candidate of a request: the attached file, else what the sources hold for the workload.

import { ClusterFailure } from '../../../activities/clients/kubernetes/failure.ts';
import type { FoundCandidate } from '../../../activities/policy/sources/find.ts';
import { readCandidate } from '../../../activities/policy/sources/read-candidate.ts';
import type { Refusal } from '../../domain/sentences.ts';
import type { Target } from '../../domain/target.ts';
import type { BotDeps } from '../deps.ts';
import type { PolicyAsked } from './parts.ts';

/** Reading a ConfigMap and a file takes milliseconds; a cluster that is silent for this long is not waited for. */
const READ_MS = 5_000;

export async function candidateFor(deps: BotDeps, asked: PolicyAsked, target: Target): Promise<FoundCandidate> {
  const signal = AbortSignal.timeout(READ_MS);
  if (asked.file) return fromFile(deps, asked.file, asked.sha256, target, signal);
  try {
    return await deps.policy.candidate(target, signal);
  } catch (error) {
    return { kind: 'refused', refusal: clusterSilent(target.cluster, error) };
  }
}

async function fromFile(
  deps: BotDeps,
  file: NonNullable<PolicyAsked['file']>,
  sha256: string | undefined,
  target: Target,
  signal: AbortSignal,
): Promise<FoundCandidate> {
  const downloaded = await deps.policy.download(file, signal);
  if (downloaded.kind === 'refused') return { kind: 'refused', refusal: { code: 'NoFile', parameters: { words: downloaded.words } } };
  const read = readCandidate(downloaded.text, `${file.name} (file in this thread)`, target.namespace);
  if (read.kind === 'candidate' && sha256 !== undefined && read.candidate.sha256 !== sha256) {
    return { kind: 'refused', refusal: { code: 'NoFile', parameters: { words: 'it is not the one that was proposed.' } } };
  }
  if (read.kind === 'candidate') return { kind: 'found', candidate: read.candidate };
  return { kind: 'refused', refusal: { code: 'BadCandidate', parameters: { source: read.source, words: read.words } } };
}

/** A cluster that does not answer is a sentence; anything else is a defect and goes on. */
export function clusterSilent(cluster: string, error: unknown): Refusal {
  const known =
    error instanceof ClusterFailure || (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'));
  if (!known) throw error;
  return { code: 'ClusterSilent', parameters: { cluster, words: `${error.message.replace(/\.?$/, '.')}` } };
}
