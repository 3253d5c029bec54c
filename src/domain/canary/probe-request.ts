import type { JsonObject } from '../json.ts';
import { type Asked, type Match, matchesOf, ruleFor, takesPath } from './rule-match.ts';

/** A request that a moved rule takes, or why none can be made. */
type ProbeRequest = Asked | { readonly reason: string };

/** A probe must change nothing (RFC 9110, 9.2.1: safe methods). */
const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Makes a request out of a match of one of the `moved` rules (by index), so that it takes the way of the traffic that is split: one that
 * another rule of the route would take says nothing of the canary. `path`: the path (and query) that people asked for.
 */
export function probeRequest(rules: readonly JsonObject[], moved: readonly number[], path?: string): ProbeRequest {
  let reason = 'none of its rules is moved';
  for (const index of moved) {
    for (const match of matchesOf(rules[index])) {
      const made = requestsOf(match, path);
      if ('reason' in made) {
        reason = made.reason;
        continue;
      }
      const taken = made.requests.find((asked) => moved.includes(ruleFor(rules, asked) ?? index));
      if (taken) return taken;
      reason = `another rule of the route takes ${made.requests[0]?.path ?? '/'}`;
    }
  }
  return { reason };
}

function requestsOf(match: Match, path: string | undefined): { readonly requests: readonly Asked[] } | { readonly reason: string } {
  const { method = 'GET', headers = [], queryParams = [] } = match;
  if (!SAFE.includes(method)) return { reason: `the rule takes ${method} only, and a probe must change nothing` };
  if ([...headers, ...queryParams].some(({ type = 'Exact' }) => type !== 'Exact')) {
    return { reason: 'the rule matches a header or query by a regular expression' };
  }
  const paths = path === undefined ? pathsOf(match) : takesPath(match, path.split('?')[0] ?? '') ? [path] : [];
  if (paths.length === 0)
    return { reason: path === undefined ? 'the rule matches its path by a regular expression' : `no moved rule takes ${path}` };
  const query = queryParams.map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  const sent = Object.fromEntries(headers.toReversed().map(({ name, value }) => [name.toLowerCase(), value]));
  return {
    requests: paths.map((one) => ({ method, path: query === '' ? one : `${one}${one.includes('?') ? '&' : '?'}${query}`, headers: sent })),
  };
}

/** Under a prefix also one that no other rule will name. */
function pathsOf({ path: { type = 'PathPrefix', value = '/' } = {} }: Match): readonly string[] {
  if (type === 'Exact') return [value];
  if (type === 'PathPrefix') return [value, `${value.replace(/\/$/, '')}/meshops-probe`];
  return /^[\w/-]+$/.test(value) ? [value] : [];
}
