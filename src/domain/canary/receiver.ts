import { nearOnes } from '../commands/nearest.ts';
import type { Original } from '../lifecycle/plan.ts';
import type { Target } from '../target.ts';
import type { Refusal } from '../words/sentences.ts';
import { CANARY_ANNOTATION, type HttpRoute, isParent, isService, type MovedRule, routeName } from './route.ts';
import { earlierWeights } from './stages.ts';
import { shareOf } from './weights.ts';

/** Who may receive, and why. */
export type Receiver =
  | {
      readonly kind: 'found';
      readonly name: string;
      readonly why: string;
      readonly inferred: boolean;
      readonly rules: readonly MovedRule[];
    }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly string[] }
  | { readonly kind: 'none'; readonly refusal: Refusal };

/** Does any rule of the route, or a parent (mesh traffic), name the Service? */
export function names(route: HttpRoute, { namespace, name }: Target): boolean {
  return isParent(route, namespace, name) || backendsOf(route).some((backend) => isService(backend, route, namespace, name));
}

/** Services of the namespace that a route names and that may have been meant, nearest first. */
export function nearServices(routes: readonly HttpRoute[], { namespace, name }: Target): readonly string[] {
  const own = routes.filter((route) => route.metadata.namespace === namespace);
  const services = own.flatMap((route) => backendsOf(route).filter((backend) => isService(backend, route, namespace, backend.name)));
  return nearOnes(
    name,
    services.map((backend) => backend.name).filter((one) => one !== name),
  );
}

/**
 * Who receives the share, in this order: the Service itself where it was written with its namespace and is a canary by name, or has not
 * most of its rules today (else the namespace only says precisely which service is meant); the annotation on a route;
 * `<name>-canary` beside it in a rule; the Service itself where it is the minority of a rule with two or more backends; its only
 * neighbour, where that has nothing today, or had nothing before the running or last operation (`before`).
 */
export function findReceiver(routes: readonly HttpRoute[], service: Target, explicit: boolean, before: readonly Original[] = []): Receiver {
  const itself = rulesWith(routes, service, service.name);
  const minority = itself.length > 0 && itself.every((rule) => shareOf(rule.backends) < largestOther(rule));
  const hasMost = itself.every((rule) => shareOf(rule.backends) > largestOther(rule));
  const annotated = annotations(routes);
  const isCanary = itself.length > 0 && (annotated.some(({ name }) => name === service.name) || isCanaryByName(itself, service.name));
  if (explicit && (minority || isCanary)) return found(service.name, NAMED, false, itself);
  if (isCanary) return found(service.name, 'it is the canary itself', true, itself);
  if (annotated.length > 1) return { kind: 'ambiguous', candidates: annotated.map(({ name }) => name) };
  const [only] = annotated;
  if (only) {
    const rules = rulesWith(routes, service, only.name);
    if (rules.length > 0) return found(only.name, `route ${only.route} names it in ${CANARY_ANNOTATION}`, false, rules);
    return { kind: 'none', refusal: { code: 'CanaryNotInRoute', parameters: { route: only.route, canary: only.name } } };
  }
  const beside = `${service.name}-canary`;
  const pair = rulesWith(routes, service, beside);
  if (pair.length > 0) return found(beside, `it stands beside ${service.name}`, true, pair);
  if (explicit && !hasMost) return found(service.name, NAMED, false, itself);
  if (minority) return found(service.name, 'it has the smaller share today', true, itself);
  return neighbourOf(routes, service, itself, before) ?? withoutHint(routes, service, itself, hasMost);
}

const NAMED = 'you named it with its namespace';

/** `backend-canary` beside anything but a canary of its own, or where `backend` is the parent that the rule serves. */
function isCanaryByName(rules: readonly MovedRule[], name: string): boolean {
  return name.endsWith('-canary') && !rules.some(({ backends }) => backends.some((each) => each.name === `${name}-canary`));
}

/** The only Service beside it, where that has nothing: there is nobody else who could be meant. */
function neighbourOf(
  routes: readonly HttpRoute[],
  service: Target,
  itself: readonly MovedRule[],
  before: readonly Original[],
): Receiver | undefined {
  const [only, another] = neighbours(itself, service);
  if (only === undefined || another !== undefined || itself.some(({ backends }) => shareOf(backends) === 0)) return undefined;
  const rules = rulesWith(routes, service, only);
  const today = rules.every(({ backends }) => shareOf(backends) === 0);
  const earlier = rules.every((rule) => earlierShareOf(rule, before) === 0);
  const why = `it is the only Service beside ${service.name} and ${today ? 'has' : 'had'} no share${today ? '' : ' before'}`;
  return today || earlier ? found(only, why, true, rules) : undefined;
}

function earlierShareOf(rule: MovedRule, before: readonly Original[]): number | undefined {
  const weights = earlierWeights(rule, before);
  if (!weights?.some((weight) => weight > 0)) return undefined;
  return shareOf(rule.backends.map(({ receives }, at) => ({ receives, weight: weights[at] ?? 0 })));
}

/** Nobody is named or inferred: who could be meant, else what was looked for. In a tie the Service itself could be. */
function withoutHint(routes: readonly HttpRoute[], service: Target, itself: readonly MovedRule[], hasMost: boolean): Receiver {
  const beside = neighbours(itself, service);
  if (beside.length > 0) return { kind: 'ambiguous', candidates: hasMost ? beside : [...beside, service.name] };
  const where = routes.map(routeName).join(', ');
  const looked = [
    `the annotation ${CANARY_ANNOTATION} on ${where}`,
    `${service.name}-canary beside ${service.name} in a rule`,
    `a rule in which ${service.name} has the smaller of two or more shares`,
  ];
  return { kind: 'none', refusal: { code: 'NoCanary', parameters: { service: service.name, looked } } };
}

/** Services of the same namespace that share a rule with it: only a Service can receive. */
function neighbours(itself: readonly MovedRule[], { namespace }: Target): readonly string[] {
  const names = itself.flatMap((rule) =>
    rule.backends.filter(({ receives }, at) => !receives && isServiceHere(rule, at, namespace)).map(({ name }) => name),
  );
  return [...new Set(names)];
}

/** Is this backend of the rule a Service of `namespace`? */
export function isServiceHere({ route, index, backends }: MovedRule, at: number, namespace: string): boolean {
  const name = backends[at]?.name ?? '';
  const backend = route.spec.rules?.[index]?.backendRefs?.[at];
  return backend !== undefined && isService(backend, route, namespace, name);
}

function found(name: string, why: string, inferred: boolean, rules: readonly MovedRule[]): Receiver {
  return { kind: 'found', name, why, inferred, rules };
}

function annotations(routes: readonly HttpRoute[]): readonly { readonly name: string; readonly route: string }[] {
  const byName = new Map<string, string>();
  for (const route of routes) {
    const name = route.metadata.annotations?.[CANARY_ANNOTATION];
    if (name !== undefined && !byName.has(name)) byName.set(name, routeName(route));
  }
  return [...byName].map(([name, route]) => ({ name, route }));
}

/** The rules with `receiver` beside another backend, which belong to `service`: it is a backend of the rule or a parent of the route. */
function rulesWith(routes: readonly HttpRoute[], service: Target, receiver: string): readonly MovedRule[] {
  return routes.flatMap((route) =>
    (route.spec.rules ?? []).flatMap(({ backendRefs = [] }, index) => {
      const backends = backendRefs.map((backend) => ({
        name: backend.name,
        weight: backend.weight ?? 1,
        receives: isService(backend, route, service.namespace, receiver),
      }));
      const belongs =
        isParent(route, service.namespace, service.name) ||
        backendRefs.some((backend) => isService(backend, route, service.namespace, service.name));
      const splits = backends.some(({ receives }) => receives) && backends.some(({ receives }) => !receives);
      return belongs && splits ? [{ route, index, backends }] : [];
    }),
  );
}

/** Largest share in percent of one backend that does not receive. */
export function largestOther({ backends }: MovedRule): number {
  return Math.max(...backends.map(({ receives }, index) => (receives ? 0 : shareOfOne(backends, index))));
}

function shareOfOne(backends: MovedRule['backends'], index: number): number {
  return shareOf(backends.map(({ weight }, each) => ({ weight, receives: each === index })));
}

function backendsOf(route: HttpRoute) {
  return (route.spec.rules ?? []).flatMap(({ backendRefs }) => backendRefs ?? []);
}
