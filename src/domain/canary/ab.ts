import { canonicalJson, type Json, type JsonObject } from '../json.ts';
import type { PlannedStage, Write } from '../lifecycle/plan.ts';
import type { Target } from '../target.ts';
import { problemOf } from './ab-limits.ts';
import { headerWords, isOurs, OURS, RULES } from './ab-rules.ts';
import type { Header } from './change.ts';
import { detailsJson, detailsOf } from './details.ts';
import { ownedRoute } from './managers.ts';
import { type Impossible, impossible, type Planned, type Unclear, unclear } from './planned.ts';
import { findReceiver, names, nearServices } from './receiver.ts';
import { type HttpRoute, type MovedRule, routeName } from './route.ts';
import { refOf } from './stages.ts';
import { shareOf } from './weights.ts';
import { sharesWords, trafficWords } from './words.ts';

/** Nobody knows how many requests carry the header; more than none, and gates and messages need a number. */
const LEAST_EXPOSURE = 0.001;

interface AbInput {
  readonly routes: readonly HttpRoute[];
  /** The rules of a route as the API server has them, with every field. */
  readonly rulesOf: (route: HttpRoute) => readonly JsonObject[];
  readonly service: Target;
  /** Absent: our rules are taken away. */
  readonly header: Header | undefined;
  /** The name was written with its namespace, so it may name the canary itself. */
  readonly explicit?: boolean;
  readonly firstStage: number;
}

type AbPlan = Planned | Impossible | Unclear;

/**
 * Plans header A/B: for each rule that has the canary beside the service, one rule of ours before the others, with the same matches and
 * filters, the header as a further match, and the canary as its only backend. It wins by having more matches (Gateway API, precedence
 * of HTTPRouteMatch). The rules of others are not touched, the weights neither.
 */
export function planAb(input: AbInput): AbPlan {
  const plan = planFor(input);
  if (plan.kind !== 'ambiguous') return plan;
  const isPlanned = (name: string): boolean => {
    const offered = planFor({ ...input, service: { ...input.service, name }, explicit: true });
    return offered.kind === 'planned' && offered.details['receiver'] === name;
  };
  return { ...plan, candidates: plan.candidates.filter(isPlanned) };
}

function noRoute(input: AbInput, elsewhere: readonly string[]): Impossible {
  const { name, namespace } = input.service;
  const canBePlanned = (one: string): boolean => planFor({ ...input, service: { ...input.service, name: one } }).kind === 'planned';
  const near = nearServices(input.routes, input.service).filter(canBePlanned);
  return impossible({ code: 'NoRoute', parameters: { service: name, namespace, elsewhere, near } });
}

function planFor(input: AbInput): AbPlan {
  const { routes, rulesOf, service, header, explicit = false, firstStage } = input;
  const concerned = routes.filter((route) => names(route, service));
  const here = concerned.filter((route) => route.metadata.namespace === service.namespace);
  const elsewhere = concerned.filter((route) => !here.includes(route)).map(routeName);
  if (here.length === 0) return noRoute(input, elsewhere);
  // The canary of a service that was written with its namespace is its canary still; only where nobody is found is the name the canary's.
  const implied = findReceiver(here, service, false);
  const receiver = explicit && implied.kind === 'ambiguous' ? findReceiver(here, service, true) : implied;
  if (receiver.kind === 'none') return impossible(receiver.refusal);
  if (receiver.kind === 'ambiguous') return unclear(service, receiver.candidates);
  const touched = [...new Set(receiver.rules.map(({ route }) => route))];
  const owned = ownedRoute(touched);
  if (owned) return owned;
  const writes = touched.flatMap((route) => writeOf(route, rulesOf(route), receiver.rules, header));
  if (writes.length === 0) {
    return impossible({ code: 'NothingToSplit', parameters: { service: service.name, header: header ? headerWords(header) : '' } });
  }
  const problem = header && problemOf(header, touched, rulesOf, writes);
  if (problem) return problem;
  const details = detailsOf(service, receiver.name, receiver.rules, elsewhere);
  return {
    kind: 'planned',
    stages: [stageOf(writes, receiver.rules, header, firstStage)],
    from: wordsOf(writes, 'before', receiver.name),
    to: wordsOf(writes, 'after', receiver.name),
    explanation: [
      header
        ? `Requests with the header ${headerWords(header)} go to ${receiver.name}, whatever the weights say; all others are split as before (${sharesWords(receiver.rules)}).`
        : `The rule for the header is taken away; its requests are split by the weights again (${sharesWords(receiver.rules)}).`,
      `${receiver.name} receives them because ${receiver.why}.`,
      `It is ${trafficWords(details)}, in ${touched.map(routeName).join(', ')}. The rules of others stay as they are.`,
      ...(elsewhere.length > 0
        ? [`Routes of other namespaces name ${service.name} too and are not changed: ${elsewhere.join(', ')}.`]
        : []),
    ],
    watched: header
      ? [`requests to ${receiver.name}: status, latency, resets`, `ready endpoints of ${receiver.name}`, NOT_COMPARED]
      : ['that nothing else changes the same fields'],
    details: detailsJson(header ? { ...details, unsplit: `the header ${headerWords(header)}` } : details),
    ...(!header && { lowers: true }),
  };
}

/** Who sends a header may fail more often than others, with equal versions. */
const NOT_COMPARED = 'nothing to compare with, since the header chooses who gets it: only the objective counts';

function stageOf(writes: readonly Write[], rules: readonly MovedRule[], header: Header | undefined, number: number): PlannedStage {
  if (!header) return { number, label: 'header rule off', exposure: 0, soakMs: 0, writes };
  const share = Math.max(...rules.map(({ backends }) => shareOf(backends))) / 100;
  return { number, label: headerWords(header), exposure: Math.max(LEAST_EXPOSURE, share), writes };
}

/** None where the route is as it should be already. */
function writeOf(
  route: HttpRoute,
  rules: readonly JsonObject[],
  moved: readonly MovedRule[],
  header: Header | undefined,
): readonly Write[] {
  const foreign = rules.filter((rule) => !isOurs(rule));
  const added = header
    ? moved
        .filter((rule) => rule.route === route)
        .flatMap(({ index, backends }) => {
          const source = rules[index];
          const at = backends.findIndex(({ receives }) => receives);
          return source && !isOurs(source) ? [abRule(source, at, header)] : [];
        })
        .map((rule, number) => ({ ...rule, name: `${OURS}${number + 1}` }))
    : [];
  const after: Json = [...added, ...foreign];
  if (canonicalJson(after) === canonicalJson(rules)) return [];
  const { uid, generation } = route.metadata;
  return [{ object: refOf(route), uid, generation, before: { [RULES]: rules }, after: { [RULES]: after } }];
}

function abRule(source: JsonObject, backend: number, { name, value }: Header): JsonObject {
  const matches = (source['matches'] ?? [{}]) as readonly JsonObject[];
  const backends = (source['backendRefs'] ?? []) as readonly JsonObject[];
  const match = { type: 'Exact', name, value };
  return {
    ...source,
    matches: matches.map((one) => ({ ...one, headers: [...((one['headers'] ?? []) as readonly Json[]), match] })),
    backendRefs: [{ ...backends[backend], weight: 1 }],
  };
}

function wordsOf(writes: readonly Write[], side: 'before' | 'after', receiver: string): string {
  const headers = writes.flatMap(({ [side]: fields }) =>
    ((fields[RULES] ?? []) as readonly JsonObject[]).filter(isOurs).map((rule) => {
      const [match] = (rule['matches'] ?? []) as readonly { readonly headers?: readonly Header[] }[];
      const header = match?.headers?.at(-1);
      return header ? headerWords(header) : '';
    }),
  );
  return headers.length === 0 ? 'no header rule' : `${[...new Set(headers)].join(', ')} to ${receiver}`;
}
