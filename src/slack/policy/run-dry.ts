// A dry-run as the bot makes one: what was found a moment ago is kept, so that a change of the same file need not find it again.

import type { Candidate } from '../../domain/policy/change.ts';
import { countsByKey, dryRunSentences } from '../../domain/policy/dryrun/words.ts';
import { formatTarget, type Target } from '../../domain/target.ts';
import { type Ran, reachSentences } from '../../reading/policy/dry-run.ts';
import type { BotDeps } from '../deps.ts';

export interface DryAsk {
  readonly target: Target;
  readonly candidate: Candidate;
  readonly windowMs: number;
  readonly deadlineMs: number;
}

/** What was found is shown with a change of the same file for so long (ms). */
const FRESH_MS = 10 * 60_000;
const MOST_KEPT = 200;
const kept = new WeakMap<BotDeps['policy'], Map<string, Found & { readonly at: number }>>();

/** What people have seen of a dry-run: its sentences, and how many would be dropped by each key that `--accept` takes. */
interface Found {
  readonly words: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
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
  const ran = { kind: 'ran', run: { ...run, lost: run.lost + rings.lost }, rings, windowMs, at } as const;
  if (rings.nodes > 0) keep(deps, keyOf(target, candidate), ran);
  return ran;
}

/** What a dry-run of exactly this file for this workload has found in the last minutes. */
export function foundLately(deps: BotDeps, target: Target, candidate: Candidate): Found | undefined {
  const found = kept.get(deps.policy)?.get(keyOf(target, candidate));
  return found && deps.now() - found.at < FRESH_MS ? found : undefined;
}

function keep(deps: BotDeps, key: string, ran: Extract<Ran, { kind: 'ran' }>): void {
  const all = kept.get(deps.policy) ?? new Map<string, Found & { readonly at: number }>();
  if (all.size >= MOST_KEPT) all.clear();
  const words = [...dryRunSentences(ran.run), ...reachSentences(ran)].map((one) => one.slice(0, 600));
  all.set(key, { words, counts: countsByKey(ran.run), at: ran.at });
  kept.set(deps.policy, all);
}

function keyOf(target: Target, { sha256 }: Candidate): string {
  return `${formatTarget(target)} ${sha256}`;
}
