import { CILIUM_POLICY, type CiliumPolicy, type KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { differencesOf, nameOf } from '../../src/domain/lifecycle/live.ts';
import type { ObjectRef, Plan, PlannedStage, Write } from '../../src/domain/lifecycle/plan.ts';
import { alreadyBack, type Completed, lateWords, type Moved, movedBy } from '../../src/domain/lifecycle/way-back.ts';
import { type ReachChanges, reachChanges } from '../../src/domain/policy/reach/changes.ts';
import { reachLines } from '../../src/domain/policy/reach/words.ts';
import type { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { directionsOf, inertRule, rulesOf } from '../../src/domain/policy/stages/rule-document.ts';
import { type Refusal, sentenceOf } from '../../src/domain/words/sentences.ts';
import { readSelected } from '../../src/reading/policy/workload.ts';
import { inForce, readWorld, type World, without } from '../../src/reading/policy/world.ts';
import { unhurried } from '../../src/reading/unhurried.ts';
import { checkHeld } from '../planning/held.ts';
import { type Impossible, impossible } from '../planning/impossible.ts';
import { checkRights } from '../planning/rights.ts';
import { seal } from '../planning/seal.ts';
import { withFields } from '../writes/manifest.ts';
import { rightsFor } from './checks.ts';
import type { PlanDeps } from './deps.ts';
import { checkUnderWay } from './overlap.ts';

/**
 * Back to what was before the last completed policy operation on this target. It opens something, so the plan says what becomes reachable
 * again; where it would close something as well, it is a forward change, with its approval, its watch and its fuse.
 */
export async function planWayBack(deps: PlanDeps, input: PlanInput, of: string | undefined, signal: AbortSignal): Promise<PlanResult> {
  const { target } = input.request;
  const completed = await deps.audit.lastCompleted(target, 'policy');
  const moved = completed ? movedBy(completed).filter(({ original }) => original.object.kind === CILIUM_POLICY.kind) : [];
  const [first] = moved;
  if (!completed || !first) return refused({ code: 'NothingToRelax', parameters: { workload: `${target.namespace}/${target.name}` } });
  if (completed.isWayBack) return refused(alreadyBack(target.name, completed));
  if (of !== undefined && of !== completed.opId) return refused({ code: 'NotTheLast', parameters: { opId: of, last: completed.opId } });
  if (first.isDeleted)
    return impossible(
      'Gone',
      `Operation ${completed.opId} has removed ${nameOf(first.original.object)}. Nothing was changed. To bring it back closes what is open now, so that is a rollout of its own: enforce the file of that operation's thread, which has it as it was.`,
    );
  if (moved.length > 1)
    return impossible('TooLarge', `Operation ${completed.opId} changed several policies. Nothing was changed. Put them back by hand.`);
  return planOne(deps, input, { completed, moved: first }, signal);
}

function refused(refusal: Refusal): PlanResult {
  return impossible(refusal.code, sentenceOf(refusal));
}

interface Back {
  readonly completed: Completed;
  readonly moved: Moved;
}

async function planOne(deps: PlanDeps, input: PlanInput, { completed, moved }: Back, signal: AbortSignal): Promise<PlanResult> {
  const { original, left } = moved;
  const { object } = original;
  const live = await deps.cluster.read<CiliumPolicy>(object, { signal });
  // There was none before the operation, and there is none now.
  if (!live || (original.uid !== '' && live.metadata.uid !== original.uid))
    return impossible(
      'Gone',
      `${nameOf(object)} has been deleted or replaced since. Nothing was changed. What is there now is left alone.`,
    );
  const differences = differencesOf(nameOf(object), left, live);
  if (differences.length > 0) return refused({ code: 'Drifted', parameters: { differences } });
  const world = await readWorld(deps.cluster, object.namespace, signal);
  const isNew = original.manifest === null;
  const before = isNew ? undefined : withFields(live as unknown as JsonObject, original.fields);
  const reach = await unhurried(reachChanges(documentsOf(world), documentsOf(world, { object, before }), world.compile), signal);
  const lowers = reach.closes.length === 0 && !reach.cut;
  const stages = stagesOf(input, { moved, live, lowers });
  const held =
    (await checkHeld(deps, [live], stages, input)) ??
    (lowers ? undefined : await checkBeside(deps, world, { object, documents: before ? [live, before] : [live] }, input.opId, signal));
  const verbs = isNew ? ['patch', 'delete'] : ['patch'];
  const missing =
    held ?? (await checkRights(deps.cluster, input.request, rightsFor({ namespace: object.namespace, withPods: false, verbs }), signal));
  if (missing) return missing;
  const found = { opId: input.opId, moved, document: live as unknown as JsonObject };
  const result = await seal(
    deps,
    input,
    {
      stages,
      details: { ...detailsOf(found) },
      live: [live],
      isBack: true,
      from: `policy ${object.name} as operation ${completed.opId} left it`,
      to: isNew ? `no policy ${object.name}` : `policy ${object.name} as it was before`,
      explanation: [...(lowers ? lateWords(input.request, completed) : []), ...wordsOf(completed, object.name, { isNew, lowers, reach })],
      watched: [`connections of the pods that ${object.name} selects`],
    },
    signal,
  );
  return result.kind === 'plan' ? { kind: 'plan', plan: { ...result.plan, ...wayOf(completed, lowers) } } : result;
}

/**
 * What closes something is a rollout like another: beside one of the same pods nobody could say which of the two did harm. What only opens is
 * never held up by one: it does no harm of the kind that either is watched for.
 */
async function checkBeside(
  { audit, cluster }: PlanDeps,
  world: World,
  { object, documents }: { readonly object: ObjectRef; readonly documents: readonly (KubeObject | JsonObject)[] },
  opId: string,
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  const of = { namespace: object.namespace, target: undefined, clusterName: world.compile.clusterName };
  for (const policy of inForce(documents, world.compile)) {
    const { selected } = await readSelected(cluster, of, policy, signal);
    const held = await checkUnderWay(audit, world, selected, opId);
    if (held) return held;
  }
  return undefined;
}

function wayOf({ opId, endedAt }: Completed, lowers: boolean): Pick<Plan, 'back' | 'lowers'> {
  return { back: { of: opId, ...(endedAt !== undefined && { completedAt: endedAt }) }, lowers };
}

/** The policies of the namespace as they are, or with the one in question as it was before. */
function documentsOf(
  world: World,
  change?: { readonly object: Moved['original']['object']; readonly before: JsonObject | undefined },
): readonly JsonObject[] {
  const documents = change ? without(world.documents, [change.object]) : world.documents;
  return [...documents.map((one) => one as unknown as JsonObject), ...(change?.before ? [change.before] : [])];
}

/**
 * One step. A policy that the operation made is removed; where that closes something it is first made to select nobody, which its fuse
 * can put back, and removed after the watch.
 */
function stagesOf(
  { firstStage, opId }: PlanInput,
  { moved, live, lowers }: { readonly moved: Moved; readonly live: CiliumPolicy; readonly lowers: boolean },
): readonly PlannedStage[] {
  const { original, left } = moved;
  const { object } = original;
  const { uid, generation = 0 } = live.metadata;
  const base = { object, uid, generation };
  const removal: Write = { ...base, kind: 'delete', before: {}, after: {} };
  if (original.manifest !== null)
    return [{ number: firstStage, label: 'as before', exposure: 1, writes: [{ ...base, before: left, after: original.fields }] }];
  if (lowers) return [{ number: firstStage, label: 'removed', exposure: 1, writes: [removal] }];
  const inert = { '/spec': null, '/specs': [inertRule(opId)] };
  return [
    { number: firstStage, label: 'selects nobody', exposure: 1, writes: [{ ...base, before: left, after: inert }] },
    { number: firstStage + 1, label: 'removed', exposure: 1, soakMs: 0, writes: [removal] },
  ];
}

function detailsOf({
  opId,
  moved,
  document,
}: {
  readonly opId: string;
  readonly moved: Moved;
  readonly document: JsonObject;
}): PolicyDetails {
  return {
    change: 'relax',
    opId,
    policy: moved.original.object,
    directions: [...directionsOf(rulesOf(document))],
    windowMs: 0,
    candidate: document,
    accepted: [],
  };
}

function wordsOf(
  { opId }: Completed,
  name: string,
  { isNew, lowers, reach }: { readonly isNew: boolean; readonly lowers: boolean; readonly reach: ReachChanges },
): readonly string[] {
  const what = isNew
    ? `The policy ${name}, which operation ${opId} made, is removed`
    : `The policy ${name} becomes what it was before operation ${opId}`;
  const opens = reachLines(reach.opens);
  const closes = reachLines(reach.closes);
  return [
    lowers
      ? `${what}, for all pods at once.`
      : `${what}. That also closes something, so it is a forward change: it needs an approval, is watched, and goes back at once if it does harm.`,
    ...(opens.length > 0 ? ['What becomes reachable again:', ...opens] : ['Nothing becomes reachable by it that is not now.']),
    ...(closes.length > 0 ? ['What is closed by it:', ...closes] : []),
    ...(reach.cut ? ['There are too many kinds of connections to look at each, so this list may not be whole.'] : []),
  ];
}
