import type { Route } from '../../src/clients/kubernetes/objects.ts';
import type { Prometheus } from '../../src/clients/prometheus/prometheus.ts';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { Gainer } from '../../src/domain/canary/gainers.ts';
import { heldTo } from '../../src/domain/canary/held-to.ts';
import { ownFields } from '../../src/domain/canary/own.ts';
import type { Planned } from '../../src/domain/canary/planned.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import type { Plan, PlannedStage, Write } from '../../src/domain/lifecycle/plan.ts';
import type { AuditLog } from '../../src/ports.ts';
import { checkHeld } from '../planning/held.ts';
import type { Impossible } from '../planning/impossible.ts';
import { checkRights } from '../planning/rights.ts';
import { seal } from '../planning/seal.ts';
import { type Baseline, checkStable, readBaseline } from './baseline.ts';
import { askIfUnready, checkAccepted, checkApart, checkManagers, checkReady, type PreconditionDeps, rightsFor } from './preconditions.ts';
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
}

/** Everything that must be so before people are asked: cheapest first; the first failure is reported. */
export async function checkPlanned(
  deps: PlanDeps,
  input: PlanInput,
  routes: readonly Route[],
  stages: readonly PlannedStage[],
  {
    details,
    needsHealth,
    gains = [],
    isBack,
  }: { readonly details: CanaryDetails; readonly needsHealth: boolean; readonly gains?: readonly Gainer[]; readonly isBack: boolean },
  signal: AbortSignal,
): Promise<Impossible | Checked> {
  const { request } = input;
  const refs = (stages[0]?.writes ?? []).map(({ object }) => object);
  const isExposed = needsHealth && stages.some(({ exposure }) => exposure > 0);
  const known =
    (await checkHeld(deps, routes, stages, input)) ??
    checkManagers(routes) ??
    (needsHealth ? await checkAccepted(deps, routes, signal) : undefined);
  if (known) return known;
  const [unready, shared, ready, rights, sight, before] = await Promise.all([
    askIfUnready(deps, gains, signal),
    isExposed && !isBack ? checkApart(deps, { ...details, others: weighed(details.others, stages) }, signal) : undefined,
    isExposed ? checkReady(deps, details.namespace, details.receiver, signal) : undefined,
    checkRights(deps.cluster, request, rightsFor(refs), signal),
    isExposed ? checkSight(deps, signal) : undefined,
    isExposed ? readBaseline(deps, details, request.settings.latencyLimitMs, signal) : undefined,
  ]);
  const baseline = before?.baseline;
  const seen = sight && before && !('blind' in sight) ? missing(sight.away, before) : sight;
  const problem =
    ready ??
    shared ??
    rights ??
    (seen && 'blind' in seen ? seen.blind : undefined) ??
    (baseline && checkStable(baseline, details, request.settings)) ??
    (isExposed ? await proveSight(deps, details, routes, signal) : undefined);
  if (problem) return problem;
  const limits = [sight, seen === sight ? undefined : seen].flatMap((each) => (each && 'limits' in each ? each.limits : []));
  const unproved = isExposed ? await unprovedWords(deps, details, routes, signal) : undefined;
  const unseen = [...limits, ...(unproved === undefined ? [] : [unproved]), ...(deps.prometheus ? [] : [NO_PROMETHEUS])];
  const probing = isExposed ? await probingWords(deps, details, routes, request.settings, signal) : undefined;
  const carriers = before?.reporters.slice(0, MOST_CARRIERS) ?? [];
  return {
    unseen,
    ...(probing && { probing }),
    ...(baseline && { baseline }),
    ...(carriers.length > 0 && { carriers }),
    ...(unready !== undefined && { ask: unready }),
  };
}

/** Those that have a weight in some stage, or have one today. */
function weighed(others: readonly string[], stages: readonly PlannedStage[]): readonly string[] {
  const fields = stages.flatMap(({ writes }) => writes.flatMap(({ before, after }) => [before, after]));
  const named = fields.flatMap((each) => Object.keys(each).flatMap((field) => (field.endsWith('/name') ? [[each, field] as const] : [])));
  const having = named.filter(([each, field]) => each[field.replace(/name$/, 'weight')] !== 0).map(([each, field]) => each[field]);
  return others.filter((name) => having.length === 0 || having.includes(name));
}

/** Who must be able to serve more than now. A plan that raises the canary refuses where it is not ready, so nobody is asked about it. */
export function gainsOf({ lowers, gains = [] }: Pick<Planned, 'lowers' | 'gains'>): readonly Gainer[] {
  return lowers ? gains : [];
}

/** More are learned from what they report while it is watched. */
const MOST_CARRIERS = 100;
const NO_PROMETHEUS = 'requests that reach no pod (no `prometheus` in meshops.yaml)';

/** The plan with what its checks have found. */
export function planOf(
  deps: PlanDeps,
  input: PlanInput,
  planned: Pick<Plan, 'from' | 'to' | 'explanation' | 'watched' | 'stages' | 'details' | 'back' | 'lowers'>,
  { routes, isBack }: { readonly routes: readonly Route[]; readonly isBack: boolean },
  { unseen, probing, baseline, ask, carriers }: Checked,
  signal: AbortSignal,
): Promise<PlanResult> {
  const { from, to, stages, back, lowers } = planned;
  const explanation = [...(ask === undefined ? [] : [ask]), ...planned.explanation];
  const details = { ...planned.details, ...(baseline && { baseline: { ...baseline } }), ...(carriers && { carriers: [...carriers] }) };
  const isExposed = stages.some(({ exposure, soakMs }) => exposure > 0 && soakMs !== 0);
  const held = isExposed ? heldTo(input.request.settings, planned.details['unsplit'] === undefined) : [];
  const watched = [...planned.watched, ...held, ...(probing === undefined ? [] : [probing]), ...unseen.map((what) => `not seen: ${what}`)];
  const way = { ...(back && { back }), ...(lowers && { lowers }), ...(ask !== undefined && { ask }) };
  const receiver = receiverIn(details);
  const own = ({ before }: Write): readonly string[] => ownFields(before, receiver);
  return seal(deps, input, { from, to, explanation, watched, stages, details, ...way, live: routes, isBack, own }, signal);
}

function receiverIn(details: Plan['details']): string {
  const { receiver } = details;
  return typeof receiver === 'string' ? receiver : '';
}
