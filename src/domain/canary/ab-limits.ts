import type { JsonObject } from '../json.ts';
import type { Write } from '../lifecycle/plan.ts';
import { headerWords, isOurs, RULES } from './ab-rules.ts';
import type { Header } from './change.ts';
import { type Impossible, impossible } from './planned.ts';
import { type HttpRoute, routeName } from './route.ts';

/** Limits of HTTPRoute and GRPCRoute (Gateway API v1, CRD schema): rules of a route, header matches of a match, matches of a route. */
const MOST_RULES = 16;
const MOST_HEADERS = 16;
const MOST_MATCHES = 128;

/** Why a header rule cannot be added to one of the routes, before the API server says so, or applies what was not meant. */
export function problemOf(
  header: Header,
  routes: readonly HttpRoute[],
  rulesOf: (route: HttpRoute) => readonly JsonObject[],
  writes: readonly Write[],
): Impossible | undefined {
  for (const route of routes) {
    const after = writes.find(({ uid }) => uid === route.metadata.uid)?.after[RULES] as readonly JsonObject[] | undefined;
    if (!after) continue;
    const ours = after.filter(isOurs);
    const name = routeName(route);
    const twice = ours.flatMap((rule) => sameHeader(rule, header));
    if (twice.length > 0) {
      const [{ value } = header] = twice;
      return impossible({
        code: 'HeaderTaken',
        parameters: { route: name, header: headerWords(header), taken: `${header.name}: ${value}` },
      });
    }
    const limit = limitOf(after, ours);
    const now = rulesOf(route).filter((rule) => !isOurs(rule)).length;
    if (limit) return impossible({ code: 'RouteFull', parameters: { route: name, rules: now, added: ours.length, limit } });
  }
  return undefined;
}

/**
 * Matches of a rule that name the header already, in any case. Of equivalent names only the first counts (Gateway API, HTTPHeaderMatch),
 * so that a second one would be passed over: the rule of ours would take all requests of that rule.
 */
function sameHeader(rule: JsonObject, { name }: Header): readonly Header[] {
  return matchesOf(rule).flatMap(({ headers = [] }) =>
    headers.slice(0, -1).filter((each) => each.name.toLowerCase() === name.toLowerCase()),
  );
}

function limitOf(after: readonly JsonObject[], ours: readonly JsonObject[]): string | undefined {
  if (after.length > MOST_RULES) return `${MOST_RULES} rules`;
  if (ours.some((rule) => matchesOf(rule).some(({ headers = [] }) => headers.length > MOST_HEADERS))) {
    return `${MOST_HEADERS} headers in one match`;
  }
  const matches = after.reduce((sum, rule) => sum + matchesOf(rule).length, 0);
  return matches > MOST_MATCHES ? `${MOST_MATCHES} matches` : undefined;
}

function matchesOf(rule: JsonObject): readonly { readonly headers?: readonly Header[] }[] {
  return (rule['matches'] ?? []) as readonly { readonly headers?: readonly Header[] }[];
}
