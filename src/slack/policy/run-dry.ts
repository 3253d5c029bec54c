// A dry-run on what Hubble still holds: the reading, and how far back it goes.
import type { RingContents } from '../../../activities/clients/hubble/ring.ts';
import type { Candidate } from '../../domain/policy/change.ts';
import type { DryRun } from '../../domain/policy/dryrun/dry-run.ts';
import type { Target } from '../../domain/target.ts';
import type { BotDeps } from '../deps.ts';

export type Ran =
  | {
      readonly kind: 'ran';
      readonly run: DryRun;
      readonly rings: Omit<RingContents, 'flows'>;
      readonly windowMs: number;
      readonly at: number;
    }
  | { readonly kind: 'wrong'; readonly words: string };

export interface DryAsk {
  readonly target: Target;
  readonly candidate: Candidate;
  readonly windowMs: number;
  readonly deadlineMs: number;
}

/** Rejects when the cluster does not answer; nodes whose ring cannot be read are told in `rings.gaps`. */
export async function runDry(deps: BotDeps, { target, candidate, windowMs, deadlineMs }: DryAsk): Promise<Ran> {
  const signal = AbortSignal.timeout(deadlineMs);
  const at = deps.now();
  const request = { namespaces: [target.namespace], since: at - windowMs, until: at, deadlineMs };
  const [world, workload, contents] = await Promise.all([
    deps.policy.world(target.cluster, target.namespace, signal),
    deps.policy.workload(target, signal),
    deps.policy.rings(target.cluster, request, signal),
  ]);
  const { flows, ...rings } = contents;
  const namedPorts = (workload?.pods ?? []).map(({ ip, namedPorts: ports }) => [ip, ports] as const);
  const { documents, compile } = world;
  const run = await deps.policy.apart.run('dryRun', { flows, documents, compile, candidate: candidate.document, namedPorts });
  if ('kind' in run) return run;
  return { kind: 'ran', run: { ...run, lost: run.lost + rings.lost }, rings, windowMs, at };
}

/** What a reader must know before trusting the numbers: how far back the rings go, and what is missing. */
export function reachSentences({
  rings,
  windowMs,
  at,
}: Pick<Extract<Ran, { kind: 'ran' }>, 'rings' | 'windowMs' | 'at'>): readonly string[] {
  const minutes = (ms: number) => (ms < 90_000 ? `${Math.max(0, Math.round(ms / 1_000))} s` : `${Math.round(ms / 60_000)} min`);
  const { reachesTo, gaps, nodes, cut } = rings;
  const reach = reachesTo === undefined ? undefined : at - reachesTo;
  return [
    nodes === 0 ? 'No node of Hubble is known, so nothing was read.' : '',
    reach === undefined
      ? ''
      : reach < windowMs
        ? `The ring reaches back ${minutes(reach)}; ${minutes(windowMs)} were asked for.`
        : `The last ${minutes(windowMs)} were read.`,
    gaps.length > 0
      ? `Not read: ${gaps
          .slice(0, 5)
          .map(({ node, reason }) => `${node} (${reason})`)
          .join(', ')}.`
      : '',
    cut ? 'There were more flows than are read; some were left out.' : '',
  ].filter((words) => words !== '');
}
