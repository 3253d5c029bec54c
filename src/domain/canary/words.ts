import type { PlannedStage } from '../lifecycle/plan.ts';
import type { Target } from '../target.ts';
import { formatPercent } from '../words/percent.ts';
import type { CanaryDetails } from './details.ts';
import type { Receiver } from './receiver.ts';
import { type HttpRoute, type MovedRule, routeName } from './route.ts';
import { refOf, weightAt } from './stages.ts';
import { shareOf } from './weights.ts';

/** `backend 100%, backend-canary 0%`: today, or after a stage. Rules that differ are told apart by their route and number. */
export function sharesWords(rules: readonly MovedRule[], stage?: PlannedStage): string {
  const each = rules.map((rule) => {
    const weights = weightsAfter(rule, stage);
    return rule.backends
      .map(({ name }, index) => `${name} ${formatPercent(shareOf(weights.map((weight, at) => ({ weight, receives: at === index }))))}`)
      .join(', ');
  });
  const [first = '', ...others] = each;
  if (others.every((words) => words === first)) return first;
  return rules.map((rule, index) => `${ruleName(rule)}: ${each[index]}`).join('; ');
}

interface Explained {
  readonly service: Target;
  readonly receiver: Extract<Receiver, { kind: 'found' }>;
  readonly here: readonly HttpRoute[];
  readonly touched: readonly MovedRule[];
  readonly details: CanaryDetails;
  readonly stages: readonly PlannedStage[];
}

/** Sentences: who gains and who loses, why that one, which traffic, what moves together, what is left alone. */
export function explain({ service, receiver, here, touched, details, stages }: Explained): readonly string[] {
  const last = stages.at(-1);
  const rest = untouched(here, touched, service);
  const rules = touched.length === 1 ? '1 rule' : `${touched.length} rules`;
  return [
    gainsAndLosses(touched, last),
    `${receiver.name} receives the share because ${receiver.why}.`,
    `It is ${trafficWords(details)}: ${rules} of ${details.routes.map(({ ref }) => `${ref.namespace}/${ref.name}`).join(', ')}.`,
    ...(details.routes.length > 1 ? ['The routes are written one after the other; for moments they differ.'] : []),
    ...(rest.length > 0 ? [`Not moved, since ${receiver.name} does not share the traffic there: ${rest.join(', ')}.`] : []),
    ...(details.elsewhere.length > 0
      ? [`Routes of other namespaces name ${service.name} too and are not moved: ${details.elsewhere.join(', ')}.`]
      : []),
    ...(last?.exposure === 1 ? [`At 100% nothing is left to compare ${receiver.name} with: only the objective counts.`] : []),
  ];
}

function gainsAndLosses(rules: readonly MovedRule[], stage: PlannedStage | undefined): string {
  const changes = new Map<string, Set<string>>();
  for (const rule of rules) {
    const after = weightsAfter(rule, stage);
    for (const name of new Set(rule.backends.map((backend) => backend.name))) {
      const share = (weights: readonly number[]) =>
        shareOf(weights.map((weight, at) => ({ weight, receives: rule.backends[at]?.name === name })));
      const [before, then] = [share(rule.backends.map(({ weight }) => weight)), share(after)];
      if (formatPercent(before) === formatPercent(then)) continue;
      const words = `${then > before ? 'gains' : 'loses'} ${formatPercent(Math.abs(then - before)).slice(0, -1)} points (${formatPercent(before)} to ${formatPercent(then)})`;
      changes.set(name, (changes.get(name) ?? new Set()).add(words));
    }
  }
  return `${[...changes].map(([name, words]) => `${name} ${[...words].join(' or ')}`).join(', ')}.`;
}

/** Which traffic is meant: through a Gateway, inside the mesh, or both. */
export function trafficWords({ traffic, routes }: CanaryDetails): string {
  const parents = (isService: boolean) =>
    [
      ...new Set(routes.flatMap((route) => route.parents.filter(({ kind }) => (kind === 'Service') === isService).map(({ name }) => name))),
    ].join(', ');
  const gateway = `traffic from outside through Gateway ${parents(false)}`;
  const mesh = `traffic inside the mesh to Service ${parents(true)}`;
  if (traffic.length === 2) return `${gateway} and ${mesh}`;
  return traffic[0] === 'service' ? mesh : traffic[0] === 'gateway' ? gateway : 'no traffic yet, since the route has no parent';
}

/** Rules that name the Service and stay as they are. */
function untouched(here: readonly HttpRoute[], touched: readonly MovedRule[], service: Target): readonly string[] {
  return here.flatMap((route) =>
    (route.spec.rules ?? []).flatMap(({ backendRefs = [] }, index) => {
      const moves = touched.some((rule) => rule.route === route && rule.index === index);
      return !moves && backendRefs.some(({ name }) => name === service.name) ? [`rule ${index + 1} of ${routeName(route)}`] : [];
    }),
  );
}

function weightsAfter(rule: MovedRule, stage: PlannedStage | undefined): readonly number[] {
  const { namespace, name, kind } = refOf(rule.route);
  const write = stage?.writes.find(({ object }) => object.namespace === namespace && object.name === name && object.kind === kind);
  return rule.backends.map(({ weight }, at) => (write ? weightAt(write.after, `/spec/rules/${rule.index}/backendRefs/${at}`) : weight));
}

function ruleName({ route, index }: MovedRule): string {
  return `${routeName(route)} rule ${index + 1}`;
}
