import { canonicalName, dnsRuleMatch, type NameMatch } from './dns-pattern.ts';
import type { HttpRequest } from './flow.ts';
import type { HttpRule, L7Match } from './policy.ts';
import { compileRegex, type FullMatch } from './regex.ts';

export type RequestMatch = (request: HttpRequest) => boolean;
export type L7 =
  | { readonly kind: 'http'; readonly matches: readonly RequestMatch[] }
  | { readonly kind: 'dns'; readonly matches: readonly NameMatch[] };

export function compileL7(l7: L7Match): L7 {
  if (l7.kind === 'http') return { kind: 'http', matches: l7.rules.map(requestMatch) };
  return { kind: 'dns', matches: l7.rules.map(({ matchName, matchPattern }) => dnsRuleMatch(matchName, matchPattern)) };
}

export function permitsQuery(matches: readonly NameMatch[], query: string): boolean {
  const name = canonicalName(query);
  return matches.some((matches_) => matches_(name));
}

/** All that is written must hold. */
function requestMatch({ method, path, host, headers }: HttpRule): RequestMatch {
  const methodMatches = fullMatch(method);
  const pathMatches = fullMatch(path);
  const hostMatches = fullMatch(host);
  return (request) =>
    methodMatches(request.method) &&
    pathMatches(request.path) &&
    hostMatches(request.host) &&
    headers.every(({ name, value }) => {
      const given = headerOf(request, name);
      return given !== undefined && (value === null || given === value);
    });
}

const EVERYTHING: FullMatch = () => true;
const NOTHING: FullMatch = () => false;

/** Most patterns are plain text; those need no automaton. One that is no regular expression matches nothing (a host may be one). */
function fullMatch(pattern: string): FullMatch {
  if (pattern === '') return EVERYTHING;
  if (/^[\w/ -]+$/.test(pattern)) return (text) => text === pattern;
  const compiled = compileRegex(pattern);
  return typeof compiled === 'string' ? NOTHING : compiled;
}

function headerOf({ headers = {} }: HttpRequest, name: string): string | undefined {
  const lower = name.toLowerCase();
  for (const key of Object.keys(headers)) if (key.toLowerCase() === lower) return headers[key];
  return undefined;
}
