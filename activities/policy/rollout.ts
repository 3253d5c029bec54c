import { type CiliumPolicy, refOf } from '../../src/clients/kubernetes/objects.ts';
import type { PodPart } from '../../src/clients/kubernetes/parts.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlanInput } from '../../src/domain/lifecycle/contract.ts';
import type { Candidate, RolloutChange } from '../../src/domain/policy/change.ts';
import type { Direction } from '../../src/domain/policy/policy.ts';
import { type CohortPod, cohortOrder } from '../../src/domain/policy/stages/cohort.ts';
import type { Shape } from '../../src/domain/policy/stages/levels.ts';
import { allowsByName, directionsOf, rulesOf } from '../../src/domain/policy/stages/rule-document.ts';
import { type Shaped, shapeOf } from '../../src/domain/policy/stages/shape.ts';
import { type PolicyStages, policyStages, type StagesInput } from '../../src/domain/policy/stages/stages.ts';
import { isReady, makerOf } from '../../src/reading/policy/subject.ts';
import { denying, type Workload } from '../../src/reading/policy/workload.ts';
import { inForce, type World, without } from '../../src/reading/policy/world.ts';
import { alone, unhurried } from '../../src/reading/unhurried.ts';

/** Observed for so long where the command does not say (ms). */
export const USUAL_WINDOW_MS = 10 * 60_000;

export interface Rollout {
  readonly change: RolloutChange;
  readonly candidate: Candidate;
  readonly isNamespace: boolean;
}

export interface Observed {
  readonly directions: readonly Direction[];
  readonly unobserved: readonly { readonly direction: Direction; readonly because: string }[];
}

/**
 * Where a shadow can watch: nowhere that another policy already denies by default, since its allows would take effect there. A policy that allows by name
 * is watched outward also where nobody wants to observe: an address that was looked up before any rule for names was there would be dropped.
 */
export function* observable(
  { change }: Rollout,
  world: World,
  { selected }: Workload,
  document: JsonObject,
): Generator<undefined, Observed> {
  const spoken = directionsOf(rulesOf(document));
  const isShort = change.kind !== 'observe' && change.observe === false;
  const needed = allowsByName(document) ? (['egress'] as const) : [];
  const directions = isShort ? needed : spoken;
  if (directions.length === 0) return { directions: [], unobserved: [] };
  if (world.config['enable-non-default-deny-policies'] === 'false') {
    const because = 'Cilium treats every policy as default deny here (enable-non-default-deny-policies: false)';
    return { directions: [], unobserved: directions.map((direction) => ({ direction, because })) };
  }
  const deniedBy = yield* denying(inForce(world.documents, world.compile), selected);
  const unobserved = directions.flatMap((direction) => {
    const [first] = deniedBy[direction];
    return first === undefined
      ? []
      : [{ direction, because: `${first} already denies by default there, and a shadow would open what it denies` }];
  });
  return { directions: directions.filter((direction) => deniedBy[direction].length === 0), unobserved };
}

interface Parts {
  readonly policyName: string;
  readonly document: JsonObject;
  readonly workload: Workload;
  readonly existing: CiliumPolicy | undefined;
  readonly observed: readonly Direction[];
}

/** The stages of the most careful way that opens nothing and closes nothing on its way; without the shadow where that is in the way. */
export async function shapedStages(
  input: PlanInput,
  rollout: Rollout,
  parts: Parts,
  world: World,
  signal: AbortSignal,
): Promise<{ readonly planned: PolicyStages; readonly shaped: Shaped | undefined }> {
  const { document, existing } = parts;
  const pods = parts.workload.selected.map(({ pod }) => cohortPodOf(pod));
  const order = await unhurried(
    alone(() => cohortOrder(pods, input.opId)),
    signal,
  );
  const plannedOf = (shape?: Shape) => stagesOf(input, rollout, { ...parts, pods, order }, shape);
  if (rollout.change.kind === 'observe') return { planned: plannedOf(), shaped: undefined };
  const others = without(world.documents, existing ? [refOf(existing)] : []).map((one) => one as unknown as JsonObject);
  const asked = {
    others,
    existing: existing as unknown as JsonObject | undefined,
    candidate: document,
    world: world.compile,
    stagesOf: (shape: Shape) => plannedOf(shape).stages,
  };
  const shaped = await unhurried(shapeOf(asked), signal);
  return { planned: plannedOf(shaped.shape), shaped };
}

/** A pod as cohorts know it. */
export function cohortPodOf(pod: PodPart): CohortPod {
  const { metadata, spec } = pod;
  const maker = makerOf(pod);
  return {
    name: metadata.name,
    uid: metadata.uid,
    node: spec.nodeName ?? '',
    ready: isReady(pod) && metadata.labels !== undefined,
    ...(maker && { maker }),
  };
}

function stagesOf(
  input: PlanInput,
  { change }: Rollout,
  { policyName, document, pods, order, existing, observed }: Parts & Required<Pick<StagesInput, 'pods' | 'order'>>,
  shape?: Shape,
): PolicyStages {
  const { opId, firstStage, request } = input;
  return policyStages({
    opId,
    firstStage,
    namespace: request.target.namespace,
    candidate: document as JsonObject & { readonly metadata?: JsonObject },
    policyName,
    ...(existing && {
      existing: { uid: existing.metadata.uid, generation: existing.metadata.generation ?? 0, document: existing as unknown as JsonObject },
    }),
    pods,
    order,
    ...(change.steps && { shares: change.steps }),
    observed,
    windowMs: change.windowMs ?? USUAL_WINDOW_MS,
    observeOnly: change.kind === 'observe',
    removes: change.kind === 'delete',
    ...(shape && { shape }),
  });
}
