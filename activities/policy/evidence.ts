import type { Flows } from '../../src/clients/hubble/flows.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { POD, type Pod } from '../../src/clients/kubernetes/objects.ts';
import { type PodPart, podPart } from '../../src/clients/kubernetes/parts.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { createDropsJudge } from '../../src/domain/policy/stages/judge.ts';
import { COHORT_LABEL, namesPorts } from '../../src/domain/policy/stages/rule-document.ts';
import { policiesIn, readWorld, type World } from '../../src/reading/policy/world.ts';
import type { Hear, OpenOptions, Watching } from '../watch/watching.ts';
import { createConnectionReader } from './connections.ts';
import { contextOf, decidedIn, judgedFrom } from './context.ts';
import { followConnections } from './follow-connections.ts';

export interface EvidenceDeps {
  readonly cluster: Cluster;
  readonly flows: Flows;
  readonly now: () => number;
}

/** A policy is watched by what the datapath says about the connections of the pods that it selects. */
export function policyWatching(deps: EvidenceDeps): Watching {
  return {
    judge(input, startedAt, resumed) {
      const details = PolicyDetails.parse(input.plan.details);
      const settings = {
        from: judgedFrom(input, startedAt),
        leastRequests: input.settings.minRequests,
        patientUntil: startedAt + input.durationMs + patienceOf(input.durationMs),
        accepted: [...details.accepted, ...input.accepted],
        limits: { ...details.acceptedMost, ...input.acceptedMost },
        ...(input.postponed && { postponed: input.postponed }),
        observing: input.stage.number === details.observeStage,
        directions: details.directions,
        asks: input.purpose === 'stage',
        hearsBefore: true as const,
      };
      return createDropsJudge(settings, resumed);
    },
    open: (input, hear, options) => openEvidence(deps, input, hear, options),
  };
}

/** A watch that has not seen what it waits for goes on for so long after its soak (ms); the timeouts of a policy's watch leave it the time. */
function patienceOf(durationMs: number): number {
  return durationMs + 30_000;
}

async function openEvidence(deps: EvidenceDeps, input: WatchInput, hear: Hear, options: OpenOptions): Promise<void> {
  const { signal } = options;
  const { policy, candidate } = PolicyDetails.parse(input.plan.details);
  const { namespace } = policy;
  const world = await readWorld(deps.cluster, namespace, signal);
  const documents = [candidate, ...world.documents.map((one) => one as unknown as JsonObject)];
  // Thousands of pods are read only where a name of a port makes a difference.
  const pods = documents.some(namesPorts)
    ? (await deps.cluster.list<Pod, PodPart>(POD, { namespace }, { signal, part: podPart })).items
    : [];
  const context = contextOf(input, world, pods, options.since);
  const cohort = context.cohort && new Set(context.cohort);
  if (cohort) followCohort(deps, input, cohort, hear, signal);
  let { compared, step } = context;
  followOthers(deps, input, world, (now) => ({ compared, step } = decidedIn(input, now, options.since)), signal);
  const reader = createConnectionReader({
    ...context,
    cohort,
    get compared() {
      return compared;
    },
    get step() {
      return step;
    },
  });
  const { isSubject } = context;
  const selected = { namespace, isSubject, clusterName: world.compile.clusterName };
  await followConnections(deps, input, { reader, selected, ...options }, hear);
}

/** How often it is looked at who of the pods that go first is still there (ms). */
const COHORT_EVERY_MS = 5_000;

/**
 * Pods come and go: one that was replaced is no longer under the policy, also where its successor has its name (a StatefulSet). The judge
 * hears how many are left, since a step that nobody is left in proves nothing. Asks for the labelled pods alone.
 */
function followCohort(deps: EvidenceDeps, input: WatchInput, cohort: Set<string>, hear: Hear, signal: AbortSignal): void {
  const { policy, opId } = PolicyDetails.parse(input.plan.details);
  const of = cohort.size;
  const seen = new Set<string>();
  const look = async (): Promise<void> => {
    const where = { namespace: policy.namespace, labelSelector: `${COHORT_LABEL}=${opId}` };
    const { items } = await deps.cluster.list<Pod, PodPart>(POD, where, { signal, part: podPart });
    const live = new Set(items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name));
    // One that has not been seen with its label is being labelled still.
    for (const name of cohort) if (seen.has(name) && !live.has(name)) cohort.delete(name);
    for (const name of live) seen.add(name);
    if (cohort.size < of) hear({ kind: 'cohort', at: deps.now(), left: cohort.size, of });
  };
  // Silence of the API is told by the watch of the policy; here it only means that what was known last still holds.
  const timer = setInterval(() => void look().catch(() => undefined), COHORT_EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  void look().catch(() => undefined);
}

/** How often it is looked at whether others have changed their policies (ms): what a drop is put down to depends on them. */
const OTHERS_EVERY_MS = 10_000;

/** Tells when the policies of others are not what they were. */
function followOthers(deps: EvidenceDeps, input: WatchInput, world: World, tell: (now: World) => unknown, signal: AbortSignal): void {
  const { policy, shadow } = PolicyDetails.parse(input.plan.details);
  const own = new Set([policy.name, shadow?.ref.name]);
  const versions = (documents: World['documents']): string =>
    documents
      .filter(({ metadata }) => metadata.namespace !== policy.namespace || !own.has(metadata.name))
      .map(({ kind, metadata }) => `${kind}/${metadata.name}/${metadata.uid}/${metadata.generation}`)
      .toSorted()
      .join();
  let known = versions(world.documents);
  const look = async (): Promise<void> => {
    const documents = await policiesIn(deps.cluster, policy.namespace, signal);
    if (versions(documents) === known) return;
    known = versions(documents);
    tell({ ...world, documents });
  };
  const timer = setInterval(() => void look().catch(() => undefined), OTHERS_EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
