import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { CILIUM_ENDPOINT, type CiliumEndpoint, POD, type Pod, refOf } from '../../src/clients/kubernetes/objects.ts';
import type { PodPart } from '../../src/clients/kubernetes/parts.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { RestoreInput } from '../../src/domain/lifecycle/contract.ts';
import { type Original, objectKey, type Plan, type PlannedStage, type Write } from '../../src/domain/lifecycle/plan.ts';
import { cohortOrder } from '../../src/domain/policy/stages/cohort.ts';
import { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { COHORT_LABEL } from '../../src/domain/policy/stages/rule-document.ts';
import { COHORT_POINTER } from '../../src/domain/policy/stages/stages.ts';
import { AT_ONCE, inParallel } from '../../src/fan-out.ts';
import { isLive, selects } from '../../src/reading/policy/subject.ts';
import { readSelected } from '../../src/reading/policy/workload.ts';
import { inForce, readWorld } from '../../src/reading/policy/world.ts';
import { alone, unhurried } from '../../src/reading/unhurried.ts';
import { digestOf } from '../writes/digest.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { cohortPodOf } from './rollout.ts';
import { wholePods } from './whole.ts';

interface FillInput {
  readonly opId: string;
  readonly plan: Plan;
  /** The stage that is about to be written, and the one of the plan that it was made from. */
  readonly stage: PlannedStage;
  readonly planned: number;
  /** Everything that the operation has written so far. */
  readonly written: RestoreInput['written'];
}

export interface Filled {
  readonly stage: PlannedStage;
  /** Of pods that no plan named. */
  readonly originals: readonly Original[];
}

/**
 * The stage with the pods that are there now: those that were replaced since the plan was made are made up for, so that as many go first as
 * people approved; and every label that the operation has given to a pod is taken off where the stage takes labels off.
 */
export async function fillStage(cluster: Cluster, input: FillInput, signal: AbortSignal): Promise<Filled> {
  const { opId, plan, stage } = input;
  const details = PolicyDetails.parse(plan.details);
  const { namespace } = details.policy;
  const others = stage.writes.filter(({ object }) => object.kind !== POD.kind);
  // A pod that came back under its name is another one: what it was before is its own.
  const lifeOf = ({ object, uid }: Pick<Write, 'object' | 'uid'>): string => `${objectKey(object)} ${uid}`;
  const known = new Set([...plan.originals, ...input.written.flatMap(({ writes }) => writes)].map(lifeOf));
  const made = (writes: readonly Write[], pods: ReadonlyMap<string, Pod>): Filled => {
    const fresh = writes.flatMap((write) => (known.has(lifeOf(write)) ? [] : (pods.get(objectKey(write.object)) ?? [])));
    return { stage: { ...stage, writes: [...others, ...writes] }, originals: fresh.map(originalOf) };
  };
  const labelled = await labelledBy(cluster, opId, namespace, signal);
  const size = sizeAfter(plan, input.planned);
  if (size === 0)
    return made(
      [...labelled.values()].map((pod) => writeOf(pod, opId, null)),
      labelled,
    );
  const planned = await plannedPods(cluster, stage, details.candidate, signal);
  // As long as enough of the planned pods are there, nobody else is looked at: the namespace may hold thousands.
  const enough = [...planned.values()].filter((pod) => cohortPodOf(pod).ready && pod.metadata.labels?.[COHORT_LABEL] === undefined);
  if (labelled.size + enough.length === size)
    return made(
      enough.map((pod) => writeOf(pod, null, opId)),
      planned,
    );
  const world = await readWorld(cluster, namespace, signal);
  const [candidate] = inForce([details.candidate], world.compile);
  if (!candidate) return { stage, originals: [] };
  const read = { namespace, target: undefined, clusterName: world.compile.clusterName };
  const { selected } = await readSelected(cluster, read, candidate, signal);
  const pods = selected.map(({ pod }) => pod);
  const chosen = await unhurried(
    alone(() => joining(input, pods, size - labelled.size)),
    signal,
  );
  const whole = await wholePods(cluster, chosen, signal);
  return made(
    whole.map((pod) => writeOf(pod, null, opId)),
    new Map(whole.map((pod) => [objectKey(refOf(pod)), pod])),
  );
}

/** Live pods with this operation's label. */
async function labelledBy(cluster: Cluster, opId: string, namespace: string, signal: AbortSignal): Promise<ReadonlyMap<string, Pod>> {
  const { items } = await cluster.list<Pod>(POD, { namespace, labelSelector: `${COHORT_LABEL}=${opId}` }, { signal });
  return new Map(items.filter(isLive).map((pod) => [objectKey(refOf(pod)), pod]));
}

/** The pods that the stage names, as far as they are still the same and the policy selects them. */
async function plannedPods(
  cluster: Cluster,
  stage: PlannedStage,
  document: JsonObject,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Pod>> {
  const [candidate] = inForce([document], {});
  const wanted = stage.writes.filter(({ object }) => object.kind === POD.kind);
  const found = await inParallel(wanted, AT_ONCE, async ({ object, uid }) => {
    const { namespace, name } = object;
    const [pod, endpoint] = await Promise.all([
      cluster.read<Pod>(object, { signal }),
      cluster.read<CiliumEndpoint>({ ...CILIUM_ENDPOINT, namespace, name }, { signal }),
    ]);
    const labels = endpoint?.status?.identity?.labels;
    const isSame = pod !== undefined && pod.metadata.uid === uid && isLive(pod);
    return isSame && candidate && labels && selects(candidate, labels) ? [pod] : [];
  });
  return new Map(found.flat().map((pod) => [objectKey(refOf(pod)), pod]));
}

/** How many pods carry the label once this stage of the plan is written. */
function sizeAfter({ stages }: Plan, number: number): number {
  const labels = new Map<string, unknown>();
  for (const { writes } of stages.filter((one) => one.number <= number))
    for (const { object, after } of writes) if (COHORT_POINTER in after) labels.set(objectKey(object), after[COHORT_POINTER]);
  return [...labels.values()].filter((value) => value !== null).length;
}

/** The planned pods that are still there and ready, then others in the order of cohorts; all of them are written in that order. */
function joining({ opId, stage }: FillInput, pods: readonly PodPart[], missing: number) {
  const ready = cohortOrder(pods.filter(({ metadata }) => metadata.labels?.[COHORT_LABEL] === undefined).map(cohortPodOf), opId);
  const planned = new Set(stage.writes.flatMap(({ object, uid }) => (object.kind === POD.kind ? [uid] : [])));
  const order = [...ready.filter(({ uid }) => planned.has(uid)), ...ready.filter(({ uid }) => !planned.has(uid))];
  const namespace = pods[0]?.metadata.namespace ?? '';
  const chosen = new Set(order.slice(0, Math.max(0, missing)));
  return ready.filter((pod) => chosen.has(pod)).map(({ name, uid }) => ({ namespace, name, uid }));
}

function writeOf(pod: Pod, before: string | null, after: string | null): Write {
  const fields = (value: string | null) => ({ [COHORT_POINTER]: value });
  // A pod's generation says nothing about its labels, so it is not tested: 0.
  return { object: refOf(pod), uid: pod.metadata.uid, generation: 0, before: fields(before), after: fields(after) };
}

function originalOf(pod: Pod): Original {
  const fields = { [COHORT_POINTER]: null };
  return { object: refOf(pod), uid: pod.metadata.uid, fields, token: tokenIn(pod), digest: digestOf(pod) };
}
