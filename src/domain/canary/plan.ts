import { type Original, objectKey, type PlannedStage, type Write } from '../lifecycle/plan.ts';
import type { Target } from '../target.ts';
import { formatPercent } from '../words/percent.ts';
import { type Refusal, sentenceOf } from '../words/sentences.ts';
import type { CanaryChange } from './change.ts';
import { type CanaryDetails, detailsJson, detailsOf } from './details.ts';
import { gainersAt } from './gainers.ts';
import { climb, largestStep } from './ladder.ts';
import { ownedRoute } from './managers.ts';
import { type Impossible, impossible, type Planned, type Unclear, unclear } from './planned.ts';
import { raisedBy } from './raised.ts';
import { findReceiver, largestOther, names, nearServices, type Receiver } from './receiver.ts';
import { type HttpRoute, type MovedRule, routeName } from './route.ts';
import { refOf, stagesOf } from './stages.ts';
import { shareOf } from './weights.ts';
import { explain, sharesWords } from './words.ts';

export interface CanaryInput {
  /** Every route that can be read, of all namespaces; those that do not concern the Service are passed over. */
  readonly routes: readonly HttpRoute[];
  readonly service: Target;
  readonly change: Extract<CanaryChange, { kind: 'shift' }>;
  readonly ladder: readonly number[];
  /** Number of the first stage. */
  readonly firstStage: number;
  /** What was before the running or the last operation: proportions of backends that are all at 0 today. */
  readonly originals?: readonly Original[];
}

export type CanaryPlan = Planned | Impossible | Unclear;

/** Plans a shift over live routes. Pure: hash, originals, rights and readiness are the activity's. */
export function planCanary(input: CanaryInput): CanaryPlan {
  const plan = planFor(input);
  if (plan.kind !== 'ambiguous') return plan;
  // A suggestion that would be refused leads in a circle: each is planned before it is offered.
  return { ...plan, candidates: plan.candidates.filter((name) => isPlannedFor(planFor(named(input, name)), name)) };
}

/** The same command, with the receiver named. */
function named(input: CanaryInput, name: string): CanaryInput {
  return { ...input, service: { ...input.service, name }, change: { ...input.change, explicit: true } };
}

function isPlannedFor(plan: CanaryPlan, name: string): boolean {
  return plan.kind === 'planned' && plan.details['receiver'] === name;
}

function planFor(input: CanaryInput): CanaryPlan {
  const { routes, service, change, ladder, firstStage, originals } = input;
  const concerned = routes.filter((route) => names(route, service));
  const here = concerned.filter((route) => change.includeOthers || route.metadata.namespace === service.namespace);
  const elsewhere = concerned.filter((route) => !here.includes(route)).map(routeName);
  if (here.length === 0) return noRoute(input, elsewhere);
  if (elsewhere.length > 0) return impossible({ code: 'RoutesElsewhere', parameters: { service: service.name, routes: elsewhere } });
  const receiver = findReceiver(here, service, change.explicit === true, originals);
  if (receiver.kind === 'none') return impossible(receiver.refusal);
  if (receiver.kind === 'ambiguous') return unclear(service, receiver.candidates);
  const owned = ownedRoute(receiver.rules.map(({ route }) => route));
  if (owned) return owned;
  const shares = receiver.rules.map(({ backends }) => shareOf(backends));
  const today = change.percent > Math.min(...shares) ? Math.min(...shares) : Math.max(...shares);
  if (shares.every((share) => share === change.percent)) {
    return impossible({ code: 'AlreadyThere', parameters: { receiver: receiver.name, percent: formatPercent(change.percent) } });
  }
  const visited = climb(today, change.percent, ladder, change.steps);
  const fall = receiver.inferred ? steepFall(receiver.rules, visited, largestStep(ladder)) : undefined;
  if (fall) return { kind: 'ambiguous', code: fall.code, words: sentenceOf(fall), candidates: [receiver.name] };
  const stages = stagesOf(receiver.rules, visited, firstStage, originals);
  if ('unknown' in stages) return unknownProportions(stages.unknown);
  const lowers = shares.every((share) => share >= change.percent);
  const raised = lowers ? raisedBy(receiver, stages.at(-1), originals ?? []) : undefined;
  if (raised) {
    const parameters = { receiver: receiver.name, raised: `${service.namespace}/${raised.name}` };
    return impossible({
      code: 'RaisesCanary',
      parameters: { ...parameters, from: formatPercent(raised.from), to: formatPercent(raised.to) },
    });
  }
  return planned(service, receiver, here, elsewhere, stages, lowers);
}

/** Only other namespaces have such a route: the flag is named where it would lead to a plan. */
function noRoute(input: CanaryInput, elsewhere: readonly string[]): Impossible {
  const { service, change } = input;
  const withOthers = elsewhere.length > 0 && planFor({ ...input, change: { ...change, includeOthers: true } }).kind !== 'impossible';
  const { name, namespace } = service;
  const canBePlanned = (one: string): boolean => planFor({ ...input, service: { ...service, name: one } }).kind === 'planned';
  const near = nearServices(input.routes, service).filter(canBePlanned);
  return impossible({
    code: 'NoRoute',
    parameters: { service: name, namespace, elsewhere, near, ...(withOthers && { withOthers }) },
  });
}

function planned(
  service: Target,
  receiver: Extract<Receiver, { kind: 'found' }>,
  here: readonly HttpRoute[],
  elsewhere: readonly string[],
  stages: readonly PlannedStage[],
  lowers: boolean,
): CanaryPlan {
  const last = stages.at(-1);
  const touched = receiver.rules.filter(({ route }) => last?.writes.some(({ object }) => objectKey(object) === objectKey(refOf(route))));
  const details = detailsOf(service, receiver.name, touched, elsewhere);
  return {
    kind: 'planned',
    stages,
    from: sharesWords(touched),
    to: sharesWords(touched, last),
    explanation: explain({ service, receiver, here, touched, details, stages }),
    watched: [
      `requests to ${receiver.name}: status, latency, resets`,
      `ready endpoints of ${receiver.name}`,
      comparison(details, last?.exposure),
    ],
    details: detailsJson(details),
    ...(lowers && {
      lowers,
      gains: gainersAt(wholeWay(stages), (object) => here.find((route) => objectKey(refOf(route)) === objectKey(object))),
    }),
  };
}

function comparison({ namespace, others, unsplit }: CanaryDetails, exposure: number | undefined): string {
  if (exposure === 1) return 'nothing to compare with at 100%: only the objective counts there';
  if (unsplit !== undefined) return `nothing to compare with, since ${unsplit}: only the objective counts`;
  if (others.length > 0) return `${others.join(', ')} for comparison`;
  return `nothing to compare with, since no other backend is a Service of ${namespace}: only the objective counts`;
}

/** The writes of all stages as one: from what is there today to what the last one leaves. */
function wholeWay(stages: readonly PlannedStage[]): readonly Write[] {
  const first = new Map((stages[0]?.writes ?? []).map((write) => [objectKey(write.object), write.before]));
  return (stages.at(-1)?.writes ?? []).map((write) => ({ ...write, before: first.get(objectKey(write.object)) ?? write.before }));
}

/** A guess must not take more from whoever has most of the traffic, in one step, than the ladder's largest step. */
function steepFall(rules: readonly MovedRule[], visited: readonly number[], most: number): Refusal | undefined {
  for (const rule of rules) {
    const today = shareOf(rule.backends);
    const receives = today > largestOther(rule);
    const keeps = (share: number) => (receives ? share : (largestOther(rule) * (100 - share)) / Math.max(1e-9, 100 - today));
    let before = receives ? today : largestOther(rule);
    for (const share of visited) {
      const points = before - keeps(share);
      if (points > most + 1e-9) {
        const majority =
          rule.backends.filter((backend) => backend.receives === receives).toSorted((a, b) => b.weight - a.weight)[0]?.name ?? '';
        return { code: 'MajorityFalls', parameters: { majority, points: Math.round(points * 10) / 10, most } };
      }
      before = keeps(share);
    }
  }
  return undefined;
}

function unknownProportions({ route, backends }: MovedRule): CanaryPlan {
  const others = backends.filter(({ receives }) => !receives).map(({ name }) => name);
  return impossible({ code: 'NeedProportions', parameters: { route: routeName(route), others } });
}
