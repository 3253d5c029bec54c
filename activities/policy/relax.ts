import type { JsonObject } from '../../src/domain/json.ts';
import type { ObjectRef } from '../../src/domain/plan.ts';
import type { PolicyChange } from '../../src/domain/policy/change.ts';
import type { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { relaxStage, stillBites } from '../../src/domain/policy/stages/relax.ts';
import { directionsOf, rulesOf } from '../../src/domain/policy/stages/rule-document.ts';
import { CILIUM_POLICY, type CiliumPolicy } from '../clients/kubernetes/objects.ts';
import type { PlanInput, PlanResult } from '../contract.ts';
import { checkRights, impossible } from './checks.ts';
import { checkHeld, finish } from './finish.ts';
import type { PlanDeps } from './plan.ts';
import { CILIUM_CONFIG } from './world.ts';

type Relax = Extract<PolicyChange, { kind: 'relax' }>;

/** Takes default deny out of a policy: the named one, or the one that the last completed operation on this workload enforced. */
export async function planRelax(deps: PlanDeps, input: PlanInput, change: Relax, signal: AbortSignal): Promise<PlanResult> {
  const { request, opId, firstStage } = input;
  const { namespace, name: workload } = request.target;
  const name = change.policy ?? (await lastEnforced(deps, input));
  if (name === undefined) {
    const words = `It is not known which policy to relax: no completed operation on ${namespace}/${workload} has enforced one.`;
    return impossible('NothingToUndo', `${words} Nothing was changed. Name it: \`policy relax ${namespace}/${workload} <policy>\`.`);
  }
  const policy: ObjectRef = { ...CILIUM_POLICY, namespace, name };
  const [live, config] = await Promise.all([
    deps.cluster.read<CiliumPolicy>(policy, { signal }),
    deps.cluster.read<{ readonly data?: Readonly<Record<string, string>> } & CiliumPolicy>(CILIUM_CONFIG, { signal }),
  ]);
  if (!live) return impossible('Gone', `There is no CiliumNetworkPolicy ${namespace}/${name}. Nothing was changed. Check the name.`);
  if (config?.data?.['enable-non-default-deny-policies'] === 'false') {
    const words =
      'Cilium treats every policy as default deny here (enable-non-default-deny-policies: false), so relaxing it would change nothing.';
    return impossible('NotRelaxable', `${words} Nothing was changed. Delete the policy by hand if that is what you want.`);
  }
  const document = live as unknown as JsonObject;
  const stage = relaxStage({ policy, uid: live.metadata.uid, generation: live.metadata.generation ?? 0, document, firstStage });
  if (!stage) return impossible('AlreadyThere', `The policy ${name} denies nothing by default already. Nothing was changed.`);
  const planned = { stages: [stage] };
  const held = await checkHeld(deps, [live], planned, opId);
  const refused = held ?? (await checkRights(deps.cluster, request, { namespace, withPods: false, verbs: ['patch'] }, signal));
  if (refused) return refused;
  const details: PolicyDetails = {
    change: 'relax',
    opId,
    policy,
    directions: [...directionsOf(rulesOf(document))],
    windowMs: 0,
    candidate: { apiVersion: policy.apiVersion, kind: policy.kind, metadata: { name, namespace } },
    accepted: [],
  };
  const explanation = [
    `The policy ${name} stays where it is, and no longer denies what it does not name: whatever it refuses today may connect again.`,
    ...stillBites(document),
    'Nothing watches this: traffic that is let through does not show whether it should have been.',
  ];
  return finish(
    deps,
    input,
    { planned, details, existing: live, pods: [], from: `policy ${name} enforced`, to: `policy ${name} relaxed`, explanation, watched: [] },
    signal,
  );
}

async function lastEnforced({ audit }: PlanDeps, { request }: PlanInput): Promise<string | undefined> {
  const completed = await audit.lastCompleted(request.target, 'policy');
  const writes = completed?.last.writes ?? [];
  return writes.find(({ object, kind }) => object.kind === CILIUM_POLICY.kind && kind !== 'delete')?.object.name;
}
