import { CILIUM_POLICY, type CiliumPolicy } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { Change } from '../../src/domain/lifecycle/change.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { controllingOwner } from '../../src/domain/lifecycle/owner.ts';
import type { ObjectRef } from '../../src/domain/lifecycle/plan.ts';
import type { PolicyChange } from '../../src/domain/policy/change.ts';
import { byNode } from '../../src/domain/policy/hosts.ts';
import { baselineCandidate } from '../../src/domain/policy/stages/bootstrap.ts';
import type { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { mostAccepted } from '../../src/domain/policy/stages/doubts.ts';
import { identityWaitMs } from '../../src/domain/policy/stages/identity-wait.ts';
import { allowsByName, directionsOf, rulesOf, specFields } from '../../src/domain/policy/stages/rule-document.ts';
import { type Shaped } from '../../src/domain/policy/stages/shape.ts';
import { CLEAN_UP, type PolicyStages } from '../../src/domain/policy/stages/stages.ts';
import { rolloutWords, watchedWords } from '../../src/domain/policy/stages/words.ts';
import { sentence } from '../../src/domain/words/sentences.ts';
import { changedSince } from '../../src/reading/policy/sources/again.ts';
import { isReady } from '../../src/reading/policy/subject.ts';
import { readSelected, runsOnHost, type Workload } from '../../src/reading/policy/workload.ts';
import { LOOKED_FOR } from '../../src/reading/policy/workload-kinds.ts';
import { inForce, readWorld } from '../../src/reading/policy/world.ts';
import { alone, unhurried } from '../../src/reading/unhurried.ts';
import { checkHeld } from '../planning/held.ts';
import { impossible } from '../planning/impossible.ts';
import { checkRights } from '../planning/rights.ts';
import { seal } from '../planning/seal.ts';
import { checkAgents, checkCandidate, checkNeeds, checkSettings, rightsFor } from './checks.ts';
import type { PlanDeps } from './deps.ts';
import { checkOverlap } from './overlap.ts';
import { planDelete } from './plan-delete.ts';
import { dryRunForPlan } from './plan-dry-run.ts';
import { checkReplaced } from './replaced.ts';
import { type Observed, observable, type Rollout, shapedStages, USUAL_WINDOW_MS } from './rollout.ts';
import { attachmentOf, reachOf, reachWords } from './shown.ts';
import { planWayBack } from './way-back.ts';
import { wholePods } from './whole.ts';

/** Plans what a policy command asks for, from live objects. Writes nothing: every write is tried as a dry run under the requester. */
export async function planPolicy(deps: PlanDeps, input: PlanInput, signal: AbortSignal): Promise<PlanResult> {
  const { target } = input.request;
  const change = input.request.change as PolicyChange;
  if (change.kind === 'back') return planWayBack(deps, input, change.of, signal);
  // What `/policy relax` asked for in requests of earlier versions.
  if (change.kind === 'relax') return planWayBack(deps, input, undefined, signal);
  if (change.kind === 'delete') return planDelete(deps, input, change, signal);
  if (change.kind === 'bootstrap')
    return planRollout(deps, input, { change, candidate: baselineCandidate(target.namespace), isNamespace: true }, signal);
  if (change.kind === 'enforce' || change.kind === 'observe')
    return planRollout(deps, input, { change, candidate: change.candidate, isNamespace: false }, signal);
  throw new Error(`a policy cannot ${(change as Change).kind}`);
}

async function planRollout(deps: PlanDeps, input: PlanInput, rollout: Rollout, signal: AbortSignal): Promise<PlanResult> {
  const { request, opId } = input;
  const { namespace } = request.target;
  const document = inNamespace(rollout.candidate.document, namespace);
  const world = await readWorld(deps.cluster, namespace, signal);
  const check = () => checkCandidate(document, namespace, world) ?? checkSettings(world) ?? checkNeeds(document, world);
  const problem = await unhurried(alone(check), signal);
  if (problem) return problem;
  const [candidate] = inForce([document], world.compile);
  if (!candidate) return impossible('Lint', 'Cilium would refuse the policy. Nothing was changed. Correct it.');
  const target = rollout.isNamespace ? undefined : request.target;
  const workload = await readSelected(deps.cluster, { namespace, target, clusterName: world.compile.clusterName }, candidate, signal);
  const missing = checkWorkload(input, workload) ?? (await checkOverlap(deps.audit, world, workload.selected, opId));
  if (missing) return missing;
  const changed = await changedSince(deps.cluster, rollout.candidate, signal);
  if (changed !== undefined)
    return impossible('SourceChanged', `${changed} What was asked for no longer counts. Nothing was changed. Run the command again.`);
  const policy: ObjectRef = { ...CILIUM_POLICY, namespace, name: candidate.name };
  const existing = await deps.cluster.read<CiliumPolicy>(policy, { signal });
  const owner = existing && controllingOwner(existing.metadata);
  if (owner)
    return impossible('OtherManager', sentence('OtherManager', { route: `${namespace}/${candidate.name}`, what: 'Policy', ...owner }));
  const replaced = await unhurried(checkReplaced(request, existing, candidate, workload.all, world), signal);
  if (replaced.kind === 'refused') return replaced.refusal;
  const observed = await unhurried(observable(rollout, world, workload, document), signal);
  const parts = { policyName: candidate.name, document, workload, existing, observed: observed.directions };
  const { planned, shaped } = await shapedStages(input, rollout, parts, world, signal);
  if (planned.stages.length === 0) return nothingToDo(rollout, candidate.name, observed);
  const fromGit = existing ? [existing] : [];
  const touchable = [...fromGit, ...workload.selected.map(({ pod }) => pod)];
  const needed = rightsFor({ namespace, withPods: planned.cohort.length > 0 });
  const rights = (await checkHeld(deps, touchable, planned.stages, input)) ?? (await checkRights(deps.cluster, request, needed, signal));
  const refused = rights ?? (await checkAgents(deps.flows, signal));
  if (refused) return refused;
  const dryRun = await dryRunForPlan(deps, input, rollout, { world, workload }, signal);
  if (dryRun.kind === 'refused') return dryRun.refusal;
  const reach = await reachOf(document, existing, world, signal);
  const first = [...dryRun.words, ...replaced.words, reachWords(reach)];
  const identityMs = planned.cohort.length > 0 ? identityWaitMs(world.config) : 0;
  const facts = factsOf(input, rollout, { planned, shaped, workload, existing, observed, first, identityMs });
  const details = detailsOf(input, rollout, planned, document);
  const attachment = attachmentOf({ ...rollout.candidate, document }, existing, reach);
  const approved = approvedOf(input, rollout, { planned, document, existing, shaped });
  const cohort = planned.cohort.map(({ name, uid }) => ({ namespace, name, uid }));
  const live = [...fromGit, ...(await wholePods(deps.cluster, cohort, signal))];
  const { realiseMs } = request.settings;
  const slow = identityMs > 0 ? { realiseMs: realiseMs + identityMs } : {};
  const draft = { stages: planned.stages, details: { ...details }, live, fromGit, isBack: false, attachment, approved, ...slow, ...facts };
  return seal(deps, input, draft, signal);
}

function inNamespace(document: JsonObject, namespace: string): JsonObject {
  const metadata = (document['metadata'] ?? {}) as JsonObject;
  return metadata['namespace'] === undefined ? { ...document, metadata: { ...metadata, namespace } } : document;
}

function checkWorkload({ request }: PlanInput, { object, selected, own }: Workload): PlanResult | undefined {
  const { namespace, name } = request.target;
  if (request.change.kind !== 'bootstrap') {
    if (!object) {
      const looked = LOOKED_FOR.join(', ');
      return impossible(
        'NotReady',
        `There is no workload ${namespace}/${name}. Looked for: ${looked}. Nothing was changed. Check the name.`,
      );
    }
    if (runsOnHost(object))
      return impossible(
        'NotSelected',
        `The pods of ${object.kind} ${namespace}/${name} use the network of their nodes (hostNetwork), so no policy for pods selects them. Nothing was changed. ${byNode('<policy>')}`,
      );
    const names = new Set(selected.map(({ pod }) => pod.metadata.name));
    const outside = own.filter(({ metadata }) => !names.has(metadata.name));
    if (own.length > 0 && outside.length > 0) {
      const words = `The policy does not select ${outside.length} of the ${own.length} pods of ${object.kind} ${namespace}/${name}, such as ${outside[0]?.metadata.name}.`;
      return impossible('NotSelected', `${words} Nothing was changed. Correct its endpointSelector, or name the workload that it is for.`);
    }
  }
  if (selected.some(({ pod }) => isReady(pod))) return undefined;
  return impossible(
    'NotReady',
    `No pod that the policy selects in ${namespace} is ready, so nothing could be watched. Nothing was changed. Look at the workload first.`,
  );
}

function nothingToDo({ change }: Rollout, name: string, { unobserved }: Observed): PlanResult {
  const [first] = unobserved;
  if (change.kind === 'observe' && first)
    return impossible(
      'NotObservable',
      `The policy cannot be observed: ${first.because}. Nothing was changed. Use \`policy dryrun\`, or enforce it by cohorts.`,
    );
  return impossible('AlreadyThere', `The policy ${name} is in force as it stands. Nothing was changed.`);
}

function detailsOf({ opId }: PlanInput, { change }: Rollout, planned: PolicyStages, document: JsonObject): PolicyDetails {
  const directions = directionsOf(rulesOf(document));
  const first = planned.stages.find(({ label }) => label === 'observe');
  const clean = planned.stages.find(({ label }) => label === CLEAN_UP);
  const watched = directionsOf(shadowRules(planned));
  return {
    change: change.kind,
    opId,
    policy: planned.policy,
    ...(planned.shadow && { shadow: { ref: planned.shadow, directions: [...watched] } }),
    directions: [...directions],
    windowMs: change.windowMs ?? USUAL_WINDOW_MS,
    ...(first && { observeStage: first.number }),
    ...(clean && { cleanStage: clean.number }),
    candidate: document,
    accepted: [...(change.accept ?? [])],
    ...(change.accept && { acceptedMost: { ...mostAccepted(change) } }),
  };
}

function shadowRules({ stages, shadow }: PolicyStages): readonly JsonObject[] {
  const write = stages.flatMap(({ writes }) => writes).find(({ object }) => object.name === shadow?.name);
  return rulesOf({ specs: write?.after['/specs'] ?? null });
}

/** Policy, selector, shares and order: pods come and go, and are chosen when they are written. */
function approvedOf(
  { request }: PlanInput,
  { change, candidate }: Rollout,
  { planned, document, existing, shaped }: Pick<Found, 'planned' | 'existing' | 'shaped'> & { readonly document: JsonObject },
): JsonObject {
  const before = existing && {
    uid: existing.metadata.uid,
    generation: existing.metadata.generation ?? 0,
    ...specFields(existing as unknown as JsonObject),
  };
  return {
    change: { ...change, candidate: null, dryRun: null } as JsonObject,
    cluster: request.target.cluster,
    policy: { ...planned.policy },
    document,
    sha256: candidate.sha256,
    before: before ?? null,
    levels: planned.levels.map(({ name, rules }) => ({ name, rules: [...rules] })),
    shape: shaped ? { ...shaped.shape } : null,
    shadow: planned.shadow ? [...shadowRules(planned)] : null,
  };
}

interface Found {
  readonly planned: PolicyStages;
  readonly shaped: Shaped | undefined;
  readonly workload: Workload;
  readonly existing: CiliumPolicy | undefined;
  readonly observed: Observed;
  /** What stands first in the question. */
  readonly first: readonly string[];
  readonly identityMs: number;
}

function factsOf(
  { opId, request }: PlanInput,
  { change, candidate }: Rollout,
  { planned, shaped, workload, existing, observed, first, identityMs }: Found,
) {
  const own = new Set(workload.own.map(({ metadata }) => metadata.uid));
  const pods = workload.selected.map(({ pod }) => pod);
  const name = planned.policy.name;
  const explanation = rolloutWords({
    opId,
    namespace: request.target.namespace,
    policyName: name,
    source: candidate.source,
    sha256: candidate.sha256,
    isNew: !existing,
    pods: pods.length,
    readyPods: pods.filter(isReady).length,
    strangers: pods.filter(({ metadata }) => !own.has(metadata.uid)).map(({ metadata }) => metadata.name),
    planned,
    ...(shaped && { shaped }),
    unobserved: observed.unobserved,
    observeOnly: change.kind === 'observe',
    byName: allowsByName(candidate.document),
    isShort: change.kind !== 'observe' && change.observe === false,
    windowMs: change.windowMs ?? USUAL_WINDOW_MS,
    first,
    accepted: change.accept ?? [],
    acceptedMost: mostAccepted(change),
    identityMs,
  });
  const from = existing ? `policy ${name} as it is` : `no policy ${name}`;
  const to = change.kind === 'observe' ? `policy ${name} observed, not enforced` : `policy ${name} enforced on ${pods.length} pods`;
  return { from, to, explanation, watched: watchedWords(directionsOf(rulesOf(candidate.document))) };
}
