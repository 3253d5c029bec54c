// The candidate of a request: the attached file, else what the sources hold for the workload.

import { ClusterFailure } from '../../clients/kubernetes/failure.ts';
import type { LintedText } from '../../documents/lint.ts';
import type { CommandName } from '../../domain/commands/command.ts';
import type { Target, TargetText } from '../../domain/target.ts';
import type { Refusal } from '../../domain/words/sentences.ts';
import type { FoundCandidate } from '../../reading/policy/sources/find.ts';
import type { Answer } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { refusalOf } from '../refusals.ts';
import { isRefused } from '../rules.ts';
import { NotDone } from './apart.ts';
import type { PolicyAsked } from './parts.ts';
import { refused } from './refuse.ts';

/** Reading a ConfigMap and a file takes milliseconds; a cluster that is silent for this long is not waited for. */
const READ_MS = 5_000;

export async function candidateFor(deps: BotDeps, asked: PolicyAsked, target: Target): Promise<FoundCandidate> {
  const leave = deps.room.enter(asked.actor.id);
  if (!leave) return { kind: 'refused', refusal: { code: 'Full', parameters: undefined } };
  const signal = AbortSignal.timeout(READ_MS);
  const source = asked.file ? `${asked.file.name} (file in this thread)` : 'its source';
  try {
    if (asked.file) return await fromFile(deps, asked.file, source, asked.sha256, target, signal);
    return await deps.policy.candidate(target, signal);
  } catch (error) {
    if (error instanceof NotDone)
      return { kind: 'refused', refusal: { code: 'BadCandidate', parameters: { source, words: error.message } } };
    return { kind: 'refused', refusal: clusterSilent(target.cluster, error) };
  } finally {
    leave();
  }
}

async function fromFile(
  deps: BotDeps,
  file: NonNullable<PolicyAsked['file']>,
  source: string,
  sha256: string | undefined,
  target: Target,
  signal: AbortSignal,
): Promise<FoundCandidate> {
  const downloaded = await deps.policy.download(file, signal);
  if (downloaded.kind === 'refused') return { kind: 'refused', refusal: { code: 'NoFile', parameters: { words: downloaded.words } } };
  const read = await deps.policy.apart.run('read', { text: downloaded.text, source, namespace: target.namespace });
  if (read.kind === 'candidate' && sha256 !== undefined && read.candidate.sha256 !== sha256) {
    return { kind: 'refused', refusal: { code: 'NoFile', parameters: { words: 'it is not the one that was proposed.' } } };
  }
  if (read.kind === 'candidate') return { kind: 'found', candidate: read.candidate };
  return { kind: 'refused', refusal: { code: 'BadCandidate', parameters: { source: read.source, words: read.words } } };
}

/** Of a command that is about a file for a workload: both, or the refusal that was said and recorded. */
export async function askedFor(
  deps: BotDeps,
  asked: PolicyAsked,
  { workload, kind }: { readonly workload: TargetText; readonly kind: CommandName },
): Promise<{ readonly refusal: Answer } | (Extract<FoundCandidate, { kind: 'found' }> & { readonly target: Target })> {
  const target = asked.rule.resolve(workload, kind);
  if (isRefused(target)) return { refusal: refused(deps, asked, target) };
  const found = await candidateFor(deps, asked, target);
  if (found.kind === 'refused') return { refusal: refused(deps, asked, refusalOf(found.refusal), target) };
  return { ...found, target };
}

/** What the check finds, made apart. A text that takes too long is one finding. */
export async function lintApart(deps: BotDeps, text: string): Promise<LintedText> {
  try {
    return await deps.policy.apart.run('lint', { text });
  } catch (error) {
    if (!(error instanceof NotDone)) throw error;
    const place = { line: 1, column: 1, endLine: 1, endColumn: 1 };
    const finding = {
      rule: 'too-large',
      severity: 'error',
      path: '',
      happens: error.message,
      instead: 'Split it into several policies.',
    } as const;
    return { findings: [{ ...place, ...finding }], policies: 0 };
  }
}

/** A cluster that does not answer is a sentence; anything else is a defect and goes on. */
export function clusterSilent(cluster: string, error: unknown): Refusal {
  if (error instanceof NotDone) return { code: 'BadCandidate', parameters: { source: 'what was asked', words: error.message } };
  const known =
    error instanceof ClusterFailure || (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'));
  if (!known) throw error;
  return { code: 'ClusterSilent', parameters: { cluster, words: `${error.message.replace(/\.?$/, '.')}` } };
}
