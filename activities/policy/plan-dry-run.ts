import type { PlanInput } from '../../src/domain/lifecycle/contract.ts';
import { dryRunSentences } from '../../src/domain/policy/dryrun/words.ts';
import { formatTarget } from '../../src/domain/target.ts';
import { decideRecorded, reachSentences } from '../../src/reading/policy/dry-run.ts';
import { namedPortsOf } from '../../src/reading/policy/subject.ts';
import type { Workload } from '../../src/reading/policy/workload.ts';
import type { World } from '../../src/reading/policy/world.ts';
import { type Impossible, impossible } from '../planning/impossible.ts';
import type { PlanDeps } from './deps.ts';
import { type Rollout, USUAL_WINDOW_MS } from './rollout.ts';

type DryRunForPlan =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'refused'; readonly refusal: Impossible };

/** Agents that are slower than this hold up no plan (ms). */
const DEADLINE_MS = 12_000;
/** A plan that is made again at its approval takes what was found for the same file (ms). */
const FRESH_MS = 10 * 60_000;
const MOST_KEPT = 100;
const kept = new WeakMap<PlanDeps['cluster'], Map<string, { readonly words: readonly string[]; readonly at: number }>>();

/** The dry-run that stands first in the question. Without one nobody is asked, unless the command says so. */
export async function dryRunForPlan(
  deps: PlanDeps,
  { request }: PlanInput,
  { change, candidate, isNamespace }: Rollout,
  { world, workload }: { readonly world: World; readonly workload: Workload },
  signal: AbortSignal,
): Promise<DryRunForPlan> {
  const windowMs = change.windowMs ?? USUAL_WINDOW_MS;
  const isFile = change.kind === 'enforce' || change.kind === 'observe';
  if (isFile && change.withoutDryRun) {
    return { kind: 'words', words: [`Not dry-run, as asked by ${request.requester.name}: nobody knows what it would drop.`] };
  }
  if (isFile && change.dryRun) return { kind: 'words', words: change.dryRun };
  if (!deps.rings) return { kind: 'words', words: [] };
  const all = kept.get(deps.cluster) ?? new Map<string, { readonly words: readonly string[]; readonly at: number }>();
  const key = `${formatTarget(request.target)} ${isFile ? candidate.sha256 : isNamespace ? 'baseline' : candidate.source} ${windowMs}`;
  const known = all.get(key);
  const at = deps.now();
  if (known && at - known.at < FRESH_MS) return { kind: 'words', words: known.words };
  const rings = await deps
    .rings({ namespaces: [request.target.namespace], since: at - windowMs, until: at, deadlineMs: DEADLINE_MS }, signal)
    .catch(unread);
  if (typeof rings === 'string' || rings.nodes === 0) {
    const why = typeof rings === 'string' ? rings : 'no node of Hubble is known';
    return refuse(`No dry-run could be made: ${why}.`);
  }
  const pods = workload.all.map(({ pod, labels }) => ({
    name: pod.metadata.name,
    labels,
    ip: pod.status?.podIP ?? '',
    namedPorts: namedPortsOf(pod),
  }));
  const ran = await decideRecorded({ candidate, world, workload: { pods }, contents: rings, windowMs, at }, signal);
  if (ran.kind === 'wrong') return refuse(`No dry-run could be made: ${ran.words}`);
  const words = [...dryRunSentences(ran.run), ...reachSentences(ran)].map((one) => one.slice(0, 600));
  if (all.size >= MOST_KEPT) all.clear();
  kept.set(deps.cluster, all.set(key, { words, at }));
  return { kind: 'words', words };
}

function unread(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}

function refuse(what: string): DryRunForPlan {
  const words = `${what} Nothing was changed. Try again in a minute; \`--no-dryrun\` plans without one, and approvers are told.`;
  return { kind: 'refused', refusal: impossible('NoDryRun', words) };
}
