import { CanaryDetails } from '../../src/domain/canary/details.ts';
import { planCanary } from '../../src/domain/canary/plan.ts';
import { type HttpRoute, parseRoute } from '../../src/domain/canary/route.ts';
import { type Original, objectKey, type PlannedStage } from '../../src/domain/plan.ts';
import { isFailure } from '../clients/kubernetes/failure.ts';
import { GRPC_ROUTE, HTTP_ROUTE, type Resource, type Route } from '../clients/kubernetes/objects.ts';
import type { PlanInput, PlanResult } from '../contract.ts';
import type { AuditLog } from '../ports.ts';
import { digestOf, planHashOf } from '../writes/digest.ts';
import { dryRunStages } from '../writes/dry-run.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import {
  byKey,
  checkAccepted,
  checkHeld,
  checkManagers,
  checkReady,
  checkRights,
  checkSight,
  type PreconditionDeps,
} from './preconditions.ts';
import { planBack } from './rollback.ts';

export interface PlanDeps extends PreconditionDeps {
  readonly audit: Pick<AuditLog, 'isOver' | 'lastCompleted'>;
}

/** Plans a shift, or the way back, from live objects. Writes nothing: every write is tried as a dry run under the requester. */
export async function planChange(deps: PlanDeps, input: PlanInput, signal: AbortSignal): Promise<PlanResult> {
  const { change } = input.request;
  return change.kind === 'back' ? planBack(deps, input, signal) : planShift(deps, input, change, signal);
}

async function planShift(
  deps: PlanDeps,
  input: PlanInput,
  change: Extract<PlanInput['request']['change'], { kind: 'shift' }>,
  signal: AbortSignal,
): Promise<PlanResult> {
  const { target, settings } = input.request;
  const live = [...(await listRoutes(deps, HTTP_ROUTE, signal)), ...(await listRoutes(deps, GRPC_ROUTE, signal))];
  const parsed = live.map((route) => parseRoute(route)).filter((route): route is HttpRoute => route !== undefined);
  const originals = input.originals ?? (await deps.audit.lastCompleted(target))?.originals;
  const { firstStage } = input;
  const planned = planCanary({
    routes: parsed,
    service: target,
    change,
    ladder: settings.ladder,
    firstStage,
    ...(originals && { originals }),
  });
  if (planned.kind === 'impossible') return planned;
  if (planned.kind === 'ambiguous')
    return { kind: 'impossible', code: planned.code, words: withCandidates(planned.words, input, planned.candidates) };
  const { stages, from, to, explanation, watched, details } = planned;
  const routes = touched(live, stages);
  const problem = await checkAll(deps, input, routes, stages, CanaryDetails.parse(details), signal);
  if (problem) return problem;
  const plan = { verb: 'canary', target, from, to, explanation, watched, stages, details, planHash: planHashOf(stages) } as const;
  return { kind: 'plan', plan: { ...plan, originals: originalsOf(routes, stages, input.originals) } };
}

/** From the cheapest to the dearest; the first problem is told. */
async function checkAll(
  deps: PlanDeps,
  input: PlanInput,
  routes: readonly Route[],
  stages: readonly PlannedStage[],
  { namespace, receiver }: CanaryDetails,
  signal: AbortSignal,
): Promise<PlanResult | undefined> {
  const { request, opId } = input;
  const refs = (stages[0]?.writes ?? []).map(({ object }) => object);
  const needsReady = stages.some(({ exposure }) => exposure > 0);
  const known = (await checkHeld(deps, routes, opId)) ?? checkManagers(routes) ?? checkAccepted(routes);
  if (known) return known;
  const [ready, rights, sight] = await Promise.all([
    needsReady ? checkReady(deps, namespace, receiver, signal) : undefined,
    checkRights(deps, refs, request, signal),
    needsReady ? checkSight(deps, signal) : undefined,
  ]);
  return ready ?? rights ?? sight ?? dryRunStages(deps.cluster, routes, stages, request, signal);
}

/** A cluster without the kind has none of it. */
async function listRoutes({ cluster }: PlanDeps, resource: Resource, signal: AbortSignal): Promise<readonly Route[]> {
  try {
    return (await cluster.list<Route>(resource, {}, { signal })).items;
  } catch (error) {
    if (isFailure(error, 'NotFound')) return [];
    throw error;
  }
}

function touched(live: readonly Route[], stages: readonly PlannedStage[]): readonly Route[] {
  const known = byKey(live);
  return (stages[0]?.writes ?? []).flatMap(({ object }) => known.get(objectKey(object)) ?? []);
}

/** What was before the operation. For a further step it stays what it was; fields that are new to it are as they are now. */
function originalsOf(routes: readonly Route[], stages: readonly PlannedStage[], earlier: readonly Original[] = []): readonly Original[] {
  const before = new Map(earlier.map((original) => [objectKey(original.object), original]));
  const live = byKey(routes);
  return (stages[0]?.writes ?? []).flatMap((write) => {
    const key = objectKey(write.object);
    const route = live.get(key);
    const known = before.get(key);
    if (known) return { ...known, fields: { ...write.before, ...known.fields } };
    return route ? { object: write.object, uid: write.uid, fields: write.before, token: tokenIn(route), digest: digestOf(route) } : [];
  });
}

function withCandidates(words: string, { request }: PlanInput, candidates: readonly string[]): string {
  const { change, target } = request;
  const percent = change.kind === 'shift' ? ` ${change.percent}%` : '';
  const commands = candidates.map((name) => `\`canary ${target.namespace}/${name}${percent}\``);
  return commands.length === 0 ? words : `${words} For example ${commands.join(' or ')}.`;
}
