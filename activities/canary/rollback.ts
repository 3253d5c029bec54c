import { formatPercent } from '../../src/domain/percent.ts';
import { type Fields, type Original, objectKey, type PlannedStage, tokenOf, type Write } from '../../src/domain/plan.ts';
import type { Route } from '../clients/kubernetes/objects.ts';
import type { Difference, PlanInput, PlanResult } from '../contract.ts';
import type { CompletedOperation } from '../ports.ts';
import { differences } from '../writes/differences.ts';
import { digestOf, planHashOf } from '../writes/digest.ts';
import { dryRunStages } from '../writes/dry-run.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import type { PlanDeps } from './plan.ts';
import { checkHeld, checkManagers, checkRights, impossible } from './preconditions.ts';

/** Back to what was before the last completed operation: one stage, only where its values still stand. */
export async function planBack(deps: PlanDeps, input: PlanInput, signal: AbortSignal): Promise<PlanResult> {
  const { request, opId } = input;
  const { target } = request;
  const completed = await deps.audit.lastCompleted(target);
  if (!completed || completed.originals.length === 0) return impossible('NothingToUndo', { service: target.name });
  const routes: Route[] = [];
  const writes: Write[] = [];
  const drift: Difference[] = [];
  for (const original of completed.originals) {
    const route = await deps.cluster.read<Route>(original.object, { signal });
    if (route?.metadata.uid !== original.uid) return impossible('Gone', { object: nameOf(original) });
    const standing = standingOf(completed, original);
    drift.push(...differences(route, original.object, standing));
    routes.push(route);
    const { uid, generation = 0 } = route.metadata;
    writes.push({ object: original.object, uid, generation, before: standing, after: original.fields });
  }
  const held = await checkHeld(deps, routes, opId);
  if (held) return held;
  if (drift.length > 0)
    return impossible('Drifted', {
      differences: drift.map(({ object, field, expected, found }) => `${object} ${field} is ${found}, not ${expected}`),
    });
  const stage: PlannedStage = { number: input.firstStage, label: 'as before', exposure: 0, writes };
  const problem =
    checkManagers(routes) ??
    (await checkRights(
      deps,
      writes.map(({ object }) => object),
      request,
      signal,
    )) ??
    (await dryRunStages(deps.cluster, routes, [stage], request, signal));
  return problem ?? { kind: 'plan', plan: planOf(input, completed, stage, routes) };
}

function planOf({ request }: PlanInput, { opId, last }: CompletedOperation, stage: PlannedStage, routes: readonly Route[]) {
  const originals = stage.writes.flatMap((write, index): readonly Original[] => {
    const route = routes[index];
    return route ? [{ object: write.object, uid: write.uid, fields: write.before, token: tokenIn(route), digest: digestOf(route) }] : [];
  });
  const [first] = stage.writes;
  return {
    verb: 'canary',
    target: request.target,
    from: sharesOf(first?.before ?? {}),
    to: sharesOf(first?.after ?? {}),
    explanation: [
      `Takes back operation ${opId} (${tokenOf(opId, last.number)}, ${last.label}): every weight that it changed becomes what it was before.`,
    ],
    watched: [],
    stages: [stage],
    originals,
    details: { takesBack: opId },
    planHash: planHashOf([stage]),
  } as const;
}

/** The managed fields as the completed operation left them. */
function standingOf({ last }: CompletedOperation, original: Original): Fields {
  const write = last.writes.find(({ object }) => objectKey(object) === objectKey(original.object));
  return { ...original.fields, ...write?.after };
}

/** `backend 90%, backend-canary 10%` out of the fields of the first rule. An absent weight counts 1 (Gateway API). */
function sharesOf(fields: Fields): string {
  const names = Object.entries(fields).filter(([field]) => field.endsWith('/name'));
  const rule = names[0]?.[0].split('/backendRefs/')[0];
  const own = names.filter(([field]) => field.startsWith(`${rule}/backendRefs/`));
  const weights = own.map(([field, name]) => {
    const weight = fields[field.replace(/name$/, 'weight')];
    return { name: typeof name === 'string' ? name : '', weight: typeof weight === 'number' ? weight : 1 };
  });
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  return weights.map(({ name, weight }) => `${name} ${formatPercent(total === 0 ? 0 : (weight * 100) / total)}`).join(', ');
}

function nameOf({ object }: Original): string {
  return `${object.kind} ${object.namespace}/${object.name}`;
}
