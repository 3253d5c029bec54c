import { isObject, type JsonObject } from '../../json.ts';
import type { Fields, ObjectRef, PlannedStage, Write } from '../../lifecycle/plan.ts';
import type { Direction } from '../policy.ts';
import { type CohortPod, cohortOrder, cohortSizes } from './cohort.ts';
import { type Level, levelsOf, type Shape, splitSpec, USUAL_SHAPE } from './levels.ts';
import { allowsByName, COHORT_LABEL, inertRule, rulesOf, type SpecFields, shadowRule, specFields } from './rule-document.ts';
import { type Subject, Timeline } from './timeline.ts';

/** JSON pointer (RFC 6901) of the cohort label on a pod. */
export const COHORT_POINTER = `/metadata/labels/${COHORT_LABEL.replace('/', '~1')}`;
/** Takes the shadow of an observation away. Watched as any other write: others may have come to deny what it lets through. */
export const CLEAN_UP = 'clean up';
/** Takes away a policy that selects nobody any more: nothing is left to watch, and nothing would be put back by bringing it again. */
export const REMOVED = 'removed';
const CILIUM_POLICY = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy' } as const;

export interface StagesInput {
  readonly opId: string;
  /** Number of the first stage. */
  readonly firstStage: number;
  readonly namespace: string;
  /** The policy as it shall be in the end. */
  readonly candidate: JsonObject & { readonly metadata?: JsonObject };
  readonly policyName: string;
  /** The policy of the same name that is there today. */
  readonly existing?: { readonly uid: string; readonly generation: number; readonly document: JsonObject };
  /** Every pod that the candidate selects. */
  readonly pods: readonly CohortPod[];
  /** The order in which they go first, where the caller has it already: several ways are tried with the same pods. */
  readonly order?: readonly CohortPod[];
  readonly shares?: readonly number[];
  /** Directions in which a shadow may watch first; none: no observe stage. */
  readonly observed: readonly Direction[];
  readonly windowMs: number;
  /** The shadow alone, then away with it. */
  readonly observeOnly: boolean;
  /** The candidate selects nobody, and its object goes once all pods have been watched without it. */
  readonly removes?: boolean;
  /** The way from what is in force to the candidate (`shapeOf`). */
  readonly shape?: Shape;
}

export interface PolicyStages {
  readonly stages: readonly PlannedStage[];
  readonly policy: ObjectRef;
  readonly shadow: ObjectRef | undefined;
  /** From what is in force today to the candidate. */
  readonly levels: readonly Level[];
  /** Pods that go first, as many as the largest cohort has. */
  readonly cohort: readonly CohortPod[];
}

/**
 * The stages by which a candidate goes live. Every stage writes the policy, so that its token fences the whole stage; pods are written where
 * their label changes.
 */
export function policyStages(input: StagesInput): PolicyStages {
  const { opId, namespace, pods, firstStage } = input;
  const { shape = USUAL_SHAPE } = input;
  const levels = levelsOf(input.existing ? rulesOf(input.existing.document) : [], rulesOf(input.candidate), shape);
  const sizes = !shape.cohorts ? [] : cohortSizes(pods.length, pods.filter(({ ready }) => ready).length, input.shares);
  const order = (input.order ?? cohortOrder(pods, opId)).slice(0, sizes.at(-1) ?? 0);
  const timeline = new Timeline();
  const shadow = shadowOf(input);
  const drafts: Draft[] = shadow ? [observeStage(input, shadow, timeline)] : [];
  if (input.observeOnly) {
    if (shadow) drafts.push({ label: CLEAN_UP, exposure: 0, writes: timeline.remove(shadow.subject) });
  } else {
    const phases = levels.slice(1).map((level, index) => ({ level, behind: levels[index] as Level, isLast: index === levels.length - 2 }));
    const policy = policySubject(input);
    for (const [index, phase] of phases.entries()) {
      drafts.push(...phaseStages(input, { ...phase, policy, shadow, sizes, order, timeline, isFirst: index === 0 }));
    }
    if (input.removes) drafts.push({ label: REMOVED, exposure: 0, soakMs: 0, writes: timeline.remove(policy) });
  }
  const stages = drafts.map((draft, index) => ({ number: firstStage + index, ...draft }));
  const policy = { ...CILIUM_POLICY, namespace, name: input.policyName };
  return { stages, policy, shadow: shadow?.subject.object, levels, cohort: order };
}

type Draft = Omit<PlannedStage, 'number'>;

/** The claim makes the shadow inert, as any object of a stage 0; its first stage makes it what it is. */
function observeStage({ windowMs }: StagesInput, { subject, specs }: Shadow, timeline: Timeline): Draft {
  return { label: 'observe', exposure: 0, soakMs: windowMs, writes: [timeline.write(subject, fieldsOf({ spec: null, specs }))] };
}

interface Phase {
  readonly level: Level;
  readonly behind: Level;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly policy: Subject;
  readonly shadow: Shadow | undefined;
  readonly sizes: readonly number[];
  readonly order: readonly CohortPod[];
  readonly timeline: Timeline;
}

/** One phase: the cohort grows, then the whole selector. The policy goes before the labels, so that a label is what starts enforcement. */
function phaseStages(input: StagesInput, phase: Phase): readonly Draft[] {
  const { level, behind, policy, sizes, order, timeline, isFirst } = phase;
  const total = input.pods.length;
  const exposureOf = (pods: number) => (isFirst ? pods / total : 1);
  // What a later phase brings reaches few pods again: it meets the gates of its shares, and not once more the one that stands before it all.
  const reachOf = (before: number, after: number) => (isFirst ? {} : { reach: { before: before / total, after: after / total } });
  const stages = sizes.map((size, index): Draft => {
    const spec = index === 0 ? fieldsOf(splitSpec(level, behind, input.opId)) : {};
    const joining = order.slice(index === 0 ? 0 : sizes[index - 1], size);
    const labels = joining.map((pod) => timeline.write(podSubject(pod, input.namespace), { [COHORT_POINTER]: input.opId }));
    const label = `${level.name}, ${size === 1 ? '1 pod' : `${size} pods`} of ${total}`;
    const reach = reachOf(index === 0 ? 0 : (sizes[index - 1] ?? 0), size);
    return { label, exposure: exposureOf(size), ...reach, writes: [timeline.write(policy, spec), ...labels] };
  });
  return [
    ...stages,
    { label: `${level.name}, all pods`, exposure: 1, ...reachOf(sizes.at(-1) ?? 0, total), writes: wholeWrites(input, phase) },
  ];
}

function wholeWrites(input: StagesInput, { level, isLast, policy, shadow, order, timeline }: Phase): readonly Write[] {
  const spec = isLast ? specFields(input.candidate) : { spec: null, specs: level.rules };
  return [
    timeline.write(policy, fieldsOf(spec)),
    ...order.map((pod) => timeline.write(podSubject(pod, input.namespace), { [COHORT_POINTER]: null })),
    ...(isLast && shadow ? timeline.remove(shadow.subject) : []),
  ];
}

/** The candidate's own object: made inert first where there is none, changed where there is one. */
function policySubject({ opId, namespace, policyName, existing, candidate }: StagesInput): Subject {
  const object = { ...CILIUM_POLICY, namespace, name: policyName };
  if (existing) {
    return { object, uid: existing.uid, generation: existing.generation, fields: fieldsOf(specFields(existing.document)) };
  }
  const { labels } = candidate.metadata ?? {};
  return newPolicy(opId, { name: policyName, namespace, ...(labels !== undefined && { labels }) });
}

/** A policy that the claim makes: it selects nobody until its first stage. */
function newPolicy(opId: string, metadata: JsonObject & { readonly name: string; readonly namespace: string }): Subject {
  const object = { ...CILIUM_POLICY, namespace: metadata.namespace, name: metadata.name };
  const inert = { spec: null, specs: [inertRule(opId)] };
  const manifest = { ...CILIUM_POLICY, metadata, specs: inert.specs };
  return { object, uid: '', generation: 0, fields: fieldsOf(inert), manifest };
}

interface Shadow {
  readonly subject: Subject;
  readonly specs: readonly JsonObject[];
}

function shadowOf({ opId, namespace, candidate, observed }: StagesInput): Shadow | undefined {
  const byName = allowsByName(candidate);
  const specs = rulesOf(candidate)
    .map((rule) => shadowRule(rule, observed, opId, { byName }))
    .filter(isObject);
  return specs.length === 0 ? undefined : { subject: newPolicy(opId, { name: shadowName(opId), namespace }), specs };
}

export function shadowName(opId: string): string {
  return `meshops-${opId}-shadow`;
}

function podSubject({ name, uid }: CohortPod, namespace: string): Subject {
  // A pod's generation says nothing about its labels, so it is not tested: 0.
  return { object: { apiVersion: 'v1', kind: 'Pod', namespace, name }, uid, generation: 0, fields: { [COHORT_POINTER]: null } };
}

function fieldsOf({ spec, specs }: SpecFields): Fields {
  return { '/spec': spec, '/specs': specs === null ? null : [...specs] };
}
