import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { Gainer } from '../../src/domain/canary/gainers.ts';
import { heldTo } from '../../src/domain/canary/held-to.ts';
import { ownFields } from '../../src/domain/canary/own.ts';
import type { Planned } from '../../src/domain/canary/planned.ts';
import { type Original, objectKey, type Plan, type PlannedStage } from '../../src/domain/plan.ts';
import type { Route } from '../clients/kubernetes/objects.ts';
import type { Prometheus } from '../clients/prometheus/prometheus.ts';
import type { PlanInput, PlanResult } from '../contract.ts';
import { checkGitOps, type GitOpsPart } from '../gitops/gitops.ts';
import type { AuditLog } from '../ports.ts';
import { digestOf, planHashOf } from '../writes/digest.ts';
import { dryRunStages } from '../writes/dry-run.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { type Baseline, checkStable, readBaseline } from './baseline.ts';
import {
  askIfUnready,
  byKey,
  checkAccepted,
  checkHeld,
  checkManagers,
  checkReady,
  checkRights,
  type Impossible,
  type PreconditionDeps,
} from './preconditions.ts';
import { type ProbeDeps, proveSight, unprovedWords } from './probe.ts';
import { probingWords } from './probing.ts';
import { checkSight, missing } from './sight.ts';

export interface PlanDeps extends PreconditionDeps, ProbeDeps {
  readonly prometheus?: Prometheus | undefined;
  readonly audit: Pick<AuditLog, 'holds' | 'lastCompleted'>;
}

/** Nothing stands against the plan; `unseen`: what its watch will not see, in words. */
export interface Checked {
  readonly unseen: readonly string[];
  /** What requests of our own are sent, in words. */
  readonly probing?: string;
  /** What the other backends did just before. */
  readonly baseline?: Baseline;
  /** Why people must say yes first. */
  readonly ask?: string;
  /** Nodes that reported this traffic just before. */
  readonly carriers?: readonly string[];
  /** Which tools apply the routes from Git. */
  readonly gitOps: GitOpsPart;
}

/** Everything that must be so before people are asked: cheapest first; the first failure is reported. */
export async function checkPlanned(
  deps: PlanDeps,
  { request, opId }: PlanInput,
  routes: readonly Route[],
  stages: readonly PlannedStage[],
  {
    details,
    needsHealth,
    gains = [],
    isBack = false,
  }: { readonly details: CanaryDetails; readonly needsHealth: boolean; readonly gains?: readonly Gainer[]; readonly isBack?: boolean },
  signal: AbortSignal,
): Promise<Impossible | Checked> {
  const refs = (stages[0]?.writes ?? []).map(({ object }) => object);
  const isExposed = needsHealth && stages.some(({ exposure }) => exposure > 0);
  const known =
    (await checkHeld(deps, routes, opId)) ?? checkManagers(routes) ?? (needsHealth ? await checkAccepted(deps, routes, signal) : undefined);
  if (known) return known;
  const [unready, ready, rights, sight, before, gitOps] = await Promise.all([
    askIfUnready(deps, gains, signal),
    isExposed ? checkReady(deps, details.namespace, details.receiver, signal) : undefined,
    checkRights(deps, refs, request, signal),
    isExposed ? checkSight(deps, signal) : undefined,
    isExposed ? readBaseline(deps, details, request.settings.latencyLimitMs, signal) : undefined,
    checkGitOps(deps, { request, objects: routes, stages, isBack }, signal),
  ]);
  const baseline = before?.baseline;
  const seen = sight && before && !('blind' in sight) ? missing(sight.away, before) : sight;
  if ('kind' in gitOps) return gitOps;
  const problem =
    ready ??
    rights ??
    (seen && 'blind' in seen ? seen.blind : undefined) ??
    (baseline && checkStable(baseline, details, request.settings)) ??
    (await dryRunStages(deps.cluster, routes, stages, request, signal)) ??
    (isExposed ? await proveSight(deps, details, routes, signal) : undefined);
  if (problem) return problem;
  const limits = [sight, seen === sight ? undefined : seen].flatMap((each) => (each && 'limits' in each ? each.limits : []));
  const unproved = isExposed ? await unprovedWords(deps, details, routes, signal) : undefined;
  const unseen = [...limits, ...(unproved === undefined ? [] : [unproved]), ...(deps.prometheus ? [] : [NO_PROMETHEUS])];
  const probing = isExposed ? await probingWords(deps, details, routes, request.settings, signal) : undefined;
  const carriers = before?.reporters.slice(0, MOST_CARRIERS) ?? [];
  return {
    unseen,
    gitOps,
    ...(probing && { probing }),
    ...(baseline && { baseline }),
    ...(carriers.length > 0 && { carriers }),
    ...(unready !== undefined && { ask: unready }),
  };
}

/** Who must be able to serve more than now. A plan that raises the canary refuses where it is not ready, so nobody is asked about it. */
export function gainsOf({ lowers, gains = [] }: Pick<Planned, 'lowers' | 'gains'>): readonly Gainer[] {
  return lowers ? gains : [];
}

/** More are learned from what they report while it is watched. */
const MOST_CARRIERS = 100;
const NO_PROMETHEUS = 'requests that reach no pod (no `prometheus` in meshops.yaml)';

/** The plan as people and the workflow see it: with its hash, and with what was before. */
export function planOf(
  { request, originals }: PlanInput,
  planned: Pick<Plan, 'from' | 'to' | 'explanation' | 'watched' | 'stages' | 'details' | 'back' | 'lowers'>,
  routes: readonly Route[],
  { unseen, probing, baseline, ask, carriers, gitOps }: Checked,
): PlanResult {
  const { from, to, stages, back, lowers } = planned;
  const explanation = [...(ask === undefined ? [] : [ask]), ...planned.explanation, ...gitOps.words];
  const details = { ...planned.details, ...(baseline && { baseline: { ...baseline } }), ...(carriers && { carriers: [...carriers] }) };
  const isExposed = stages.some(({ exposure, soakMs }) => exposure > 0 && soakMs !== 0);
  const held = isExposed ? heldTo(request.settings, planned.details['unsplit'] === undefined) : [];
  const watched = [...planned.watched, ...held, ...(probing === undefined ? [] : [probing]), ...unseen.map((what) => `not seen: ${what}`)];
  const way = {
    ...(back && { back }),
    ...(lowers && { lowers }),
    ...(ask !== undefined && { ask }),
    ...(gitOps.attachment && { gitOps: gitOps.attachment }),
  };
  const plan = { verb: 'canary', target: request.target, from, to, explanation, watched, stages, details, ...way } as const;
  return {
    kind: 'plan',
    plan: { ...plan, originals: originalsOf(routes, stages, receiverIn(details), originals), planHash: planHashOf(stages) },
  };
}

/** What was before the operation. For a further step it stays what it was; fields that are new to it are as they are now. */
function originalsOf(
  routes: readonly Route[],
  stages: readonly PlannedStage[],
  receiver: string,
  earlier: readonly Original[] = [],
): readonly Original[] {
  const before = new Map(earlier.map((original) => [objectKey(original.object), original]));
  const live = byKey(routes);
  return (stages[0]?.writes ?? []).flatMap((write) => {
    const key = objectKey(write.object);
    const route = live.get(key);
    const known = before.get(key);
    const own = ownFields(write.before, receiver);
    if (known) return { ...known, fields: { ...write.before, ...known.fields }, own: [...new Set([...(known.own ?? []), ...own])] };
    if (!route) return [];
    return { object: write.object, uid: write.uid, fields: write.before, own, token: tokenIn(route), digest: digestOf(route) };
  });
}

function receiverIn(details: Plan['details']): string {
  const { receiver } = details;
  return typeof receiver === 'string' ? receiver : '';
}
