/** Gateway API matches as Envoy route matches, and their precedence (Gateway API: exact path, longest prefix, method, headers, query). */
import type { RouteMatch, ValueMatch } from '../kube/types.ts';

function stringMatch(wanted: ValueMatch): object {
  return wanted.type === 'RegularExpression' ? { safe_regex: { regex: wanted.value } } : { exact: wanted.value };
}

function headers(match: RouteMatch): readonly object[] {
  return (match.headers ?? []).map((h) => ({ name: h.name, string_match: stringMatch(h) }));
}

/** One HTTPRoute match; an empty match takes every path. */
export function envoyMatch(match: RouteMatch): Record<string, unknown> {
  const value = match.path?.value ?? '/';
  const path =
    match.path?.type === 'Exact'
      ? { path: value }
      : match.path?.type === 'RegularExpression'
        ? { safe_regex: { regex: value } }
        : value === '/'
          ? { prefix: '/' }
          : { path_separated_prefix: value.replace(/\/+$/, '') };
  const method = typeof match.method === 'string' ? [{ name: ':method', string_match: { exact: match.method } }] : [];
  const query = (match.queryParams ?? []).map((q) => ({ name: q.name, string_match: stringMatch(q) }));
  return {
    ...path,
    ...(method.length + (match.headers?.length ?? 0) > 0 ? { headers: [...method, ...headers(match)] } : {}),
    ...(query.length > 0 ? { query_parameters: query } : {}),
  };
}

/** One GRPCRoute match: service and method are the path `/<service>/<method>`. */
export function grpcMatch(match: RouteMatch): Record<string, unknown> {
  const wanted = typeof match.method === 'object' ? match.method : {};
  const extra = match.headers?.length ? { headers: headers(match) } : {};
  if (wanted.service && wanted.method) return { path: `/${wanted.service}/${wanted.method}`, ...extra };
  if (wanted.service) return { prefix: `/${wanted.service}/`, ...extra };
  if (wanted.method) return { safe_regex: { regex: `/[^/]+/${wanted.method}` }, ...extra };
  return { prefix: '/', ...extra };
}

const length = (value: unknown): number => (typeof value === 'string' ? value.length : 0);

function rank(match: Record<string, unknown>): readonly number[] {
  const wanted = (match['headers'] ?? []) as readonly { readonly name: string }[];
  const regex = match['safe_regex'] as { readonly regex: string } | undefined;
  return [
    length(match['path']),
    length(regex?.regex),
    Math.max(length(match['prefix']), length(match['path_separated_prefix'])),
    wanted.some((header) => header.name === ':method') ? 1 : 0,
    wanted.length,
    ((match['query_parameters'] ?? []) as readonly unknown[]).length,
  ];
}

/** Sorts the more specific Envoy match first. */
export function byPrecedence(one: Record<string, unknown>, other: Record<string, unknown>): number {
  const [left, right] = [rank(one), rank(other)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at === -1 ? 0 : (right[at] ?? 0) - (left[at] ?? 0);
}
