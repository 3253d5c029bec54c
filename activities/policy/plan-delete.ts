import { CILIUM_POLICY, type CiliumPolicy } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { controllingOwner } from '../../src/domain/lifecycle/owner.ts';
import type { Attachment, ObjectRef } from '../../src/domain/lifecycle/plan.ts';
import type { DeleteChange } from '../../src/domain/policy/change.ts';
import { yamlOf } from '../../src/domain/policy/learn/yaml.ts';
import type { ReachChanges } from '../../src/domain/policy/reach/changes.ts';
import type { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { mostAccepted } from '../../src/domain/policy/stages/doubts.ts';
import { identityWaitMs } from '../../src/domain/policy/stages/identity-wait.ts';
import { directionsOf, inertRule, rulesOf, specFields } from '../../src/domain/policy/stages/rule-document.ts';
import type { Shaped } from '../../src/domain/policy/stages/shape.ts';
import type { PolicyStages } from '../../src/domain/policy/stages/stages.ts';
import { enforceWords, some, upTo, watchedWords } from '../../src/domain/policy/stages/words.ts';
import { sentence } from '../../src/domain/words/sentences.ts';
import { isReady } from '../../src/reading/policy/subject.ts';
import { readSelected, type Workload } from '../../src/reading/policy/workload.ts';
import { LOOKED_FOR } from '../../src/reading/policy/workload-kinds.ts';
import { inForce, readWorld } from '../../src/reading/policy/world.ts';
import { checkHeld } from '../planning/held.ts';
import { type Impossible, impossible } from '../planning/impossible.ts';
import { checkRights } from '../planning/rights.ts';
import { seal } from '../planning/seal.ts';
import { checkAgents, checkSettings, rightsFor } from './checks.ts';
import type { PlanDeps } from './deps.ts';
import { checkOverlap } from './overlap.ts';
import { dryRunForPlan } from './plan-dry-run.ts';
import { type Rollout, shapedStages } from './rollout.ts';
import { reachOf, reachWords } from './shown.ts';
import { wholePods } from './whole.ts';

/**
 * Takes a policy out of force by cohorts, then removes it. It is a rollout like another, to a policy of the same name that selects nobody: what is
 * denied by others stays denied at every moment, and the undo puts the fields back as they were. Only what selects nobody is removed.
 */
export async function planDelete(deps: PlanDeps, input: PlanInput, change: DeleteChange, signal: AbortSignal): Promise<PlanResult> {
  const { request, opId } = input;
  const { namespace } = request.target;
  const world = await readWorld(deps.cluster, namespace, signal);
  const policy: ObjectRef = { ...CILIUM_POLICY, namespace, name: change.policy };
  const existing = await deps.cluster.read<CiliumPolicy>(policy, { signal });
  const problem = checkSettings(world) ?? checkPolicy(existing, policy);
  if (problem || !existing) return problem ?? missing(policy);
  const [own] = inForce([existing], world.compile);
  if (!own)
    return impossible(
      'Lint',
      `Cilium rejects policy ${change.policy}, so it has no effect, and nothing could be watched. Nothing was changed. Remove it by hand.`,
    );
  const workload = await readSelected(
    deps.cluster,
    { namespace, target: request.target, clusterName: world.compile.clusterName },
    own,
    signal,
  );
  const refused =
    checkWorkload(input, change, workload) ??
    checkApprover(input, change) ??
    (await checkOverlap(deps.audit, world, workload.selected, opId));
  if (refused) return refused;
  const document = withoutRules(existing, opId);
  const candidate = { document, sha256: '', source: `policy ${change.policy}, to be removed` };
  const rollout: Rollout = { change, candidate, isNamespace: false };
  const parts = { policyName: change.policy, document, workload, existing, observed: [] };
  const { planned, shaped } = await shapedStages(input, rollout, parts, world, signal);
  const withPods = planned.cohort.length > 0;
  const needed = rightsFor({ namespace, withPods, verbs: ['patch', 'delete'] });
  const held =
    (await checkHeld(deps, [existing, ...workload.selected.map(({ pod }) => pod)], planned.stages, input)) ??
    (await checkRights(deps.cluster, request, { forward: needed.forward, back: needed.back }, signal)) ??
    (await checkAgents(deps.flows, signal));
  if (held) return held;
  const reach = await reachOf(document, existing, world, signal);
  // What only opens drops nothing.
  const drops = reach.closes.length > 0 || reach.cut;
  const dryRun = drops ? await dryRunForPlan(deps, input, rollout, { world, workload }, signal) : ({ kind: 'words', words: [] } as const);
  if (dryRun.kind === 'refused') return dryRun.refusal;
  const identityMs = withPods ? identityWaitMs(world.config) : 0;
  const cohort = planned.cohort.map(({ name, uid }) => ({ namespace, name, uid }));
  const slow = identityMs > 0 ? { realiseMs: request.settings.realiseMs + identityMs } : {};
  const explanation = [...dryRun.words, reachWords(reach), ...wordsOf(input, change, { workload, planned, shaped, identityMs })];
  const draft = {
    stages: planned.stages,
    details: { ...detailsOf(opId, change, policy, existing) },
    live: [existing, ...(await wholePods(deps.cluster, cohort, signal))],
    fromGit: [existing],
    isBack: false,
    attachment: attachmentOf(existing, reach),
    approved: approvedOf(input, change, existing, { planned, shaped }),
    ...slow,
    from: `policy ${change.policy} as it is`,
    to: `no policy ${change.policy}`,
    explanation,
    watched: watchedWords(directionsOf(rulesOf(existing as unknown as JsonObject))),
  };
  return seal(deps, input, draft, signal);
}

function missing({ namespace, name }: ObjectRef): Impossible {
  const words = `There is no CiliumNetworkPolicy ${namespace}/${name}. Nothing was changed. \`policy status\` names those that select the workload.`;
  return impossible('NotReady', words);
}

function checkPolicy(existing: CiliumPolicy | undefined, policy: ObjectRef): Impossible | undefined {
  const owner = existing && controllingOwner(existing.metadata);
  if (!existing) return missing(policy);
  if (!owner) return undefined;
  return impossible('OtherManager', sentence('OtherManager', { route: `${policy.namespace}/${policy.name}`, what: 'Policy', ...owner }));
}

function checkWorkload({ request }: PlanInput, { policy }: DeleteChange, { object, selected, own }: Workload): Impossible | undefined {
  const { namespace, name } = request.target;
  if (!object) {
    const looked = LOOKED_FOR.join(', ');
    return impossible('NotReady', `There is no workload ${namespace}/${name}. Looked for: ${looked}. Nothing was changed. Check the name.`);
  }
  const names = new Set(selected.map(({ pod }) => pod.metadata.name));
  if (!own.some(({ metadata }) => names.has(metadata.name))) {
    const words = `Policy ${policy} selects no pod of ${object.kind} ${namespace}/${name}. Nothing was changed.`;
    return impossible('NotSelected', `${words} Name the workload that it is for; one that selects nobody can be removed by hand.`);
  }
  if (selected.some(({ pod }) => isReady(pod))) return undefined;
  const words = `No pod that the policy selects in ${namespace} is ready, so nothing could be watched. Nothing was changed. Look at the workload first.`;
  return impossible('NotReady', words);
}

/** Whoever asks to lose protection does not agree to it alone. */
function checkApprover({ request }: PlanInput, { policy }: DeleteChange): Impossible | undefined {
  if (request.settings.gates.length > 0) return undefined;
  const words = `Removing policy ${policy} takes protection away. Nothing was changed. That needs an approver, and no gate rule of the configuration names any.`;
  return impossible('NeedsApprover', words);
}

/** The policy under its name, selecting nobody. */
function withoutRules(existing: CiliumPolicy, opId: string): JsonObject {
  return { ...bare(existing), specs: [inertRule(opId)] };
}

function bare({ metadata: { name, namespace = '', labels } }: CiliumPolicy): JsonObject {
  return { ...CILIUM_POLICY, metadata: { name, namespace, ...(labels && { labels: { ...labels } }) } };
}

/** As people wrote it. */
function written(existing: CiliumPolicy): JsonObject {
  const { spec, specs } = specFields(existing as unknown as JsonObject);
  return { ...bare(existing), ...(spec && { spec }), ...(specs && { specs }) };
}

/** Whom it selects is told by the policy as it was. */
function detailsOf(opId: string, change: DeleteChange, policy: ObjectRef, existing: CiliumPolicy): PolicyDetails {
  const candidate = written(existing);
  return {
    change: 'delete',
    opId,
    policy,
    directions: [...directionsOf(rulesOf(candidate))],
    windowMs: 0,
    candidate,
    accepted: [...(change.accept ?? [])],
    ...(change.accept && { acceptedMost: { ...mostAccepted(change) } }),
  };
}

function approvedOf(
  { request }: PlanInput,
  change: DeleteChange,
  existing: CiliumPolicy,
  { planned, shaped }: { readonly planned: PolicyStages; readonly shaped: Shaped | undefined },
): JsonObject {
  return {
    change: { ...change },
    cluster: request.target.cluster,
    policy: { ...planned.policy },
    before: { uid: existing.metadata.uid, generation: existing.metadata.generation ?? 0, ...specFields(existing as unknown as JsonObject) },
    // The rule that selects nobody has the name of the operation in it, which is not what people agree to.
    levels: planned.levels.map(({ name }) => name),
    shape: shaped ? { ...shaped.shape } : null,
  };
}

function wordsOf(
  { request }: PlanInput,
  change: DeleteChange,
  { workload, planned, shaped, identityMs }: Parameters<typeof facts>[0],
): readonly string[] {
  const { selected, own } = workload;
  const { accept = [] } = change;
  const mine = new Set(own.map(({ metadata }) => metadata.uid));
  const strangers = selected.flatMap(({ pod }) => (mine.has(pod.metadata.uid) ? [] : [pod.metadata.name]));
  const ready = selected.filter(({ pod }) => isReady(pod)).length;
  return [
    `The policy ${change.policy} selects ${selected.length} pods of ${request.target.namespace}, ${ready} of them ready. It is lifted from them in steps, then it is removed.`,
    ...(strangers.length > 0 ? [`Pods of other workloads lose it too: ${some(strangers)}.`] : []),
    ...enforceWords(facts({ workload, planned, shaped, identityMs }, change), planned),
    ...(accept.length > 0
      ? [`Accepted as meant: ${some(accept.map((key) => upTo(key, mostAccepted(change))))}; more is asked about.`]
      : []),
    'Once it is removed, no rollback brings it back: the file in the thread has it as it is, for `/policy enforce`.',
  ];
}

interface Facts {
  readonly workload: Workload;
  readonly planned: PolicyStages;
  readonly shaped: Shaped | undefined;
  readonly identityMs: number;
}

function facts({ workload, shaped, identityMs }: Facts, change?: DeleteChange) {
  const policyName = change?.policy ?? '';
  return { isNew: false, policyName, pods: workload.selected.length, ...(shaped && { shaped }), identityMs };
}

function attachmentOf(existing: CiliumPolicy, reach: ReachChanges): Attachment {
  const { name } = existing.metadata;
  const title = `Policy ${name}, which is to be removed`;
  return { name: `${name}-removed.yaml`, title, comment: `The policy as it is. ${reachWords(reach)}`, text: yamlOf(written(existing)) };
}
