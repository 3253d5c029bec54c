import type { Evidence } from '../../src/domain/evidence.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { objectKey } from '../../src/domain/plan.ts';
import { compilePolicies } from '../../src/domain/policy/evaluator.ts';
import type { Compared } from '../../src/domain/policy/stages/attribution.ts';
import { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { createDropsJudge } from '../../src/domain/policy/stages/judge.ts';
import { COHORT_LABEL, markerOf } from '../../src/domain/policy/stages/rule-document.ts';
import { COHORT_POINTER } from '../../src/domain/policy/stages/stages.ts';
import type { FlowFollower, Flows } from '../clients/hubble/flows.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import { POD, type Pod } from '../clients/kubernetes/objects.ts';
import type { WatchInput } from '../contract.ts';
import type { Hear, OpenOptions, Watching } from '../watch/watching.ts';
import { withFields } from '../writes/manifest.ts';
import { lastWrites } from '../writes/written.ts';
import { type ConnectionContext, createConnectionReader } from './connections.ts';
import { namedPortsOf, selects } from './subject.ts';
import { inForce, readWorld, type World, without } from './world.ts';

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
        ...(input.acceptedMost && { limits: input.acceptedMost }),
        ...(input.postponed && { postponed: input.postponed }),
        observing: input.stage.number === details.observeStage,
        directions: details.directions,
        asks: input.purpose === 'stage',
      };
      return createDropsJudge(settings, resumed);
    },
    open: (input, hear, options) => openEvidence(deps, input, hear, options),
  };
}

/** How long policies that were put back take to be in force everywhere, at most, before a drop counts as harm that goes on (ms). */
const SPREAD_MS = 2_000;

/** A watch that has not seen what it waits for goes on for so long after its soak (ms); the timeouts of a policy's watch leave it the time. */
export function patienceOf(durationMs: number): number {
  return durationMs + 30_000;
}

function judgedFrom(input: WatchInput, startedAt: number): number {
  // After an undo the question is what is dropped from now on, once the undo has spread.
  return input.purpose === 'restored' ? startedAt + SPREAD_MS : (writtenAt(input) ?? startedAt);
}

/** Between the write and the watch lies the time in which the stage came into force: what was dropped then counts as well. */
function writtenAt({ view, stage }: WatchInput): number | undefined {
  return view.stages.find(({ number }) => number === stage.number)?.startedAt;
}

async function openEvidence(deps: EvidenceDeps, input: WatchInput, hear: Hear, options: OpenOptions): Promise<void> {
  const { signal } = options;
  const { namespace } = PolicyDetails.parse(input.plan.details).policy;
  const [world, pods] = await Promise.all([
    readWorld(deps.cluster, namespace, signal),
    deps.cluster.list<Pod>(POD, { namespace }, { signal }),
  ]);
  const context = contextOf(input, world, pods.items, options.since);
  const cohort = context.cohort && new Set(context.cohort);
  if (cohort) followCohort(deps, input, cohort, hear, signal);
  const reader = createConnectionReader({ ...context, cohort });
  await followConnections(deps, input, { reader, namespace, ...options }, hear);
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
    const { items } = await deps.cluster.list<Pod>(POD, where, { signal });
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

/** Everything that was decided when the stage was planned, with the policies of others as they are now. */
export function contextOf(input: WatchInput, world: World, pods: readonly Pod[], since: number): ConnectionContext {
  const details = PolicyDetails.parse(input.plan.details);
  const { policy, shadow, opId } = details;
  const last = lastWrites(input.fuse.written, input.stage.number);
  const cohort = [...last.values()].filter(({ fields }) => fields[COHORT_POINTER] === opId).map(({ object }) => object.name);
  const others = inForce(without(world.documents, shadow ? [policy, shadow.ref] : [policy]), world.compile);
  const before = inForce(documentBefore(input), world.compile);
  const isObserving = input.stage.number === details.observeStage;
  const written = withFields(
    { ...policy, metadata: { name: policy.name, namespace: policy.namespace } },
    last.get(objectKey(policy))?.fields ?? {},
  );
  const after = inForce([isObserving ? details.candidate : written], world.compile);
  const standing = input.purpose === 'stage' ? inForce(documentBehind(input), world.compile) : before;
  const [candidate] = inForce([details.candidate], world.compile);
  const compared: Compared = {
    before: compilePolicies([...others, ...before], world.compile),
    // Once everything is put back, whatever is still dropped that was allowed before is the operation's doing.
    candidate: input.purpose === 'restored' ? REFUSING : compilePolicies([...others, ...after], world.compile),
  };
  const ports = new Map(pods.flatMap((pod) => (pod.status?.podIP === undefined ? [] : [[pod.status.podIP, namedPortsOf(pod)] as const])));
  const known = new Map<string, boolean>();
  return {
    namespace: policy.namespace,
    isSubject: (labels) => {
      const key = labels.join('\n');
      const found = known.get(key) ?? (candidate ? selects(candidate, labels) : false);
      if (known.size < MOST_IDENTITIES) known.set(key, found);
      return found;
    },
    cohort: cohort.length > 0 ? new Set(cohort) : undefined,
    opId,
    compared,
    step: {
      from: judgedFrom(input, since),
      before: compilePolicies([...others, ...standing], world.compile),
      now: compilePolicies([...others, ...after], world.compile),
    },
    namedPorts: (address) => ports.get(address),
    observing: isObserving ? { directions: shadow?.directions ?? [], marker: markerOf(opId) } : undefined,
  };
}

const MOST_IDENTITIES = 10_000;

const REFUSED = { allowed: false, enforced: true, selected: true, l4: 'denied' } as const;
const REFUSED_BOTH = { verdict: 'denied', egress: REFUSED, ingress: REFUSED } as const;
const REFUSING: Compared['candidate'] = {
  decide: () => REFUSED_BOTH,
  explain: () => ({ decision: REFUSED_BOTH, egress: null, ingress: null }),
};

/** The policy of the same name as it was before the operation; none where the operation has made it. */
function documentBefore({ fuse, plan }: WatchInput): readonly JsonObject[] {
  const { policy } = PolicyDetails.parse(plan.details);
  const originals = [...fuse.originals, ...plan.originals];
  const original = originals.find(({ object }) => objectKey(object) === objectKey(policy));
  if (!original || original.manifest === null) return [];
  return [withFields({ ...policy, metadata: { name: policy.name, namespace: policy.namespace } }, original.fields)];
}

/** The policy as the stages before this one have left it. */
function documentBehind(input: WatchInput): readonly JsonObject[] {
  const { policy } = PolicyDetails.parse(input.plan.details);
  const fields = lastWrites(input.fuse.written, input.stage.number - 1).get(objectKey(policy))?.fields;
  return fields ? [withFields({ ...policy, metadata: { name: policy.name, namespace: policy.namespace } }, fields)] : documentBefore(input);
}

interface Following extends OpenOptions {
  readonly reader: ReturnType<typeof createConnectionReader>;
  readonly namespace: string;
}

/**
 * What the rings still hold comes first: who was let through in the recorded window, and what was dropped while the stage came into
 * force. A watch that goes on after another attempt has heard the window already; its judge remembers.
 */
async function followConnections(
  deps: EvidenceDeps,
  input: WatchInput,
  { reader, namespace, since, resumed, signal }: Following,
  hear: Hear,
): Promise<void> {
  const { windowMs } = PolicyDetails.parse(input.plan.details);
  const from = resumed ? since : (writtenAt(input) ?? since) - windowMs;
  let waiting: Evidence[] | undefined = [];
  const followerTo = (tell: (event: Evidence) => unknown): FlowFollower => ({
    flow(flow, node, seenAt) {
      const connection = reader.read(flow, node, seenAt);
      if (connection) tell(connection);
    },
    gap: (node, at, reason, lost) => tell({ kind: 'gap', at, node, reason, ...(lost !== undefined && { lost }) }),
    sight: (node, at) => tell({ kind: 'sight', at, node }),
  });
  deps.flows.follow(
    [namespace],
    followerTo((event) => (waiting ? waiting.push(event) : hear(event))),
    signal,
  );
  const held: Evidence[] = [];
  // A ring that cannot be read back makes a watch that goes on incomplete. For one that begins it only means that nobody outside is
  // known from before, which asks people instead of acting; a drop since the write shows again when its client tries again.
  const replayed = followerTo((event) => (resumed || event.kind === 'connection') && held.push(event));
  await deps.flows.replay([namespace], from, replayed, signal);
  const early = waiting;
  waiting = undefined;
  for (const event of [...held.toSorted((a, b) => a.at - b.at), ...early])
    if (!resumed || event.kind !== 'connection' || event.at > since) hear(event);
}
