import type { PodPart } from '../../src/clients/kubernetes/parts.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import { objectKey } from '../../src/domain/lifecycle/plan.ts';
import { denialDoubt } from '../../src/domain/policy/dryrun/doubts.ts';
import { compilePolicies } from '../../src/domain/policy/evaluator.ts';
import type { Policy } from '../../src/domain/policy/policy.ts';
import type { Compared, Step } from '../../src/domain/policy/stages/attribution.ts';
import { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { markerOf, tellsCohort } from '../../src/domain/policy/stages/rule-document.ts';
import { COHORT_POINTER } from '../../src/domain/policy/stages/stages.ts';
import { atWorst } from '../../src/domain/policy/worst.ts';
import { namedPortsOf, selects } from '../../src/reading/policy/subject.ts';
import { inForce, type World, without } from '../../src/reading/policy/world.ts';
import { withFields } from '../writes/manifest.ts';
import { lastWrites } from '../writes/written.ts';
import type { ConnectionContext } from './connections.ts';

/** How long policies that were put back take to be in force everywhere, at most, before a drop counts as harm that goes on (ms). */
const SPREAD_MS = 2_000;
const MOST_IDENTITIES = 10_000;

/**
 * From when on what happens is the stage's doing. Between its write and its watch lies the time in which it came into force: what was dropped then
 * counts as well. `startedAt`: of the watch, by this process; a write was before it, whatever a clock elsewhere says.
 */
export function judgedFrom({ purpose, view, stage }: Pick<WatchInput, 'purpose' | 'view' | 'stage'>, startedAt: number): number {
  // After an undo the question is what is dropped from now on, once the undo has spread.
  if (purpose === 'restored') return startedAt + SPREAD_MS;
  return Math.min(view.stages.find(({ number }) => number === stage.number)?.startedAt ?? startedAt, startedAt);
}

/** Everything that was decided when the stage was planned, with the policies of others as they are now. */
export function contextOf(input: WatchInput, world: World, pods: readonly PodPart[], since: number): ConnectionContext {
  const details = PolicyDetails.parse(input.plan.details);
  const { policy, shadow, opId } = details;
  const last = lastWrites(input.fuse.written, input.stage.number);
  // Pods that were replaced keep their label in what was written: who goes first is of no more meaning once the policy is the same for all.
  const isApart = writtenOf(input, policy, input.stage.number).some((document) => tellsCohort(document, opId));
  const labelled = [...last.values()].filter(({ fields }) => fields[COHORT_POINTER] === opId).map(({ object }) => object.name);
  const cohort = isApart ? labelled : [];
  const isObserving = input.stage.number === details.observeStage;
  const [candidate] = inForce([details.candidate], world.compile);
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
    ...decidedIn(input, world, since),
    namedPorts: (address) => ports.get(address),
    observing: isObserving
      ? { directions: shadow?.directions ?? [], marker: markerOf(opId), isAll: details.change === 'observe' }
      : undefined,
  };
}

export interface Decided {
  readonly compared: Compared;
  /** Absent after an undo: nothing is to be proved then. */
  readonly step?: Step & { readonly from: number };
}

/** What the policies decide before and under the stage. Made anew when others change theirs. */
export function decidedIn(input: WatchInput, world: World, since: number): Decided {
  const details = PolicyDetails.parse(input.plan.details);
  const { policy, shadow, observeStage, cleanStage } = details;
  const { number } = input.stage;
  const others = inForce(without(world.documents, shadow ? [policy, shadow.ref] : [policy]), world.compile);
  const of = (documents: readonly JsonObject[]): readonly Policy[] => inForce(documents, world.compile);
  // A shadow lets through what it allows, also what others deny since: taking it away is what the clean-up changes.
  const shadows = number === cleanStage && shadow ? writtenOf(input, shadow.ref, number - 1) : [];
  const before = of([...documentBefore(input), ...shadows]);
  const after = of(number === observeStage ? [details.candidate] : writtenOf(input, policy, number));
  const behind =
    input.purpose === 'stage' ? of([...(writtenOrNone(input, policy, number - 1) ?? documentBefore(input)), ...shadows]) : before;
  const compile = (policies: readonly Policy[]) => compilePolicies([...others, ...policies], world.compile);
  const widest = atWorst(after, 'groups');
  const compared = { before: compile(before), candidate: compile(after), ...(widest && { worst: compile(widest) }) };
  // Once everything is put back, whatever is still dropped that was allowed before is the operation's doing.
  if (input.purpose === 'restored') return { compared: { before: compared.before, candidate: REFUSING } };
  const doubt = denialDoubt([...others, ...after], policy.namespace, world.compile.services !== undefined);
  return {
    compared,
    step: { from: judgedFrom(input, since), before: compile(behind), now: compared.candidate, doubt },
  };
}

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
  return [withFields(bare(policy), original.fields)];
}

/** A policy as the stages up to this one have written it. */
function writtenOf(input: WatchInput, policy: PolicyDetails['policy'], stage: number): readonly JsonObject[] {
  return writtenOrNone(input, policy, stage) ?? [bare(policy)];
}

function writtenOrNone({ fuse }: WatchInput, policy: PolicyDetails['policy'], stage: number): readonly JsonObject[] | undefined {
  const last = lastWrites(fuse.written, stage).get(objectKey(policy));
  return last && (last.isDeleted ? [] : [withFields(bare(policy), last.fields)]);
}

function bare(policy: PolicyDetails['policy']): JsonObject {
  return { ...policy, metadata: { name: policy.name, namespace: policy.namespace } };
}
