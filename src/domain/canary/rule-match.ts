import type { JsonObject } from '../json.ts';

interface NamedMatch {
  readonly type?: string;
  readonly name: string;
  readonly value: string;
}

/** HTTPRouteMatch of the Gateway API. */
export interface Match {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly method?: string;
  readonly headers?: readonly NamedMatch[];
  readonly queryParams?: readonly NamedMatch[];
}

/** A request as far as rules look at it. Header names in lower case; the path may have a query. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The matches of a rule; one without any matches everything. */
export function matchesOf(rule: JsonObject | undefined): readonly Match[] {
  const matches = (rule?.['matches'] ?? []) as readonly Match[];
  return matches.length === 0 ? [{}] : matches;
}

/** Index of the rule that takes the request, by the precedence of HTTPRouteMatch; undefined where none does. */
export function ruleFor(rules: readonly JsonObject[], asked: Asked): number | undefined {
  const found = rules.flatMap((rule, index) =>
    matchesOf(rule).flatMap((match) => (takes(match, asked) ? [{ index, rank: rankOf(match) }] : [])),
  );
  return found.toSorted((a, b) => compare(b.rank, a.rank) || a.index - b.index)[0]?.index;
}

/** Does the match take this path (without a query)? A regular expression that JavaScript cannot read takes everything: nobody knows. */
export function takesPath({ path: { type = 'PathPrefix', value = '/' } = {} }: Match, path: string): boolean {
  if (type === 'Exact') return path === value;
  if (type === 'RegularExpression') return readable(value)?.test(path) ?? true;
  const prefix = value.replace(/\/$/, '');
  return path === prefix || path.startsWith(`${prefix}/`);
}

function takes(match: Match, { method, path, headers }: Asked): boolean {
  const [plain = '', query = ''] = path.split('?');
  const parameters = new URLSearchParams(query);
  return (
    takesPath(match, plain) &&
    (match.method === undefined || match.method === method) &&
    firstOfEach(match.headers ?? []).every((one) => holds(one, headers[one.name.toLowerCase()])) &&
    (match.queryParams ?? []).every((one) => holds(one, parameters.get(one.name) ?? undefined))
  );
}

/** Of equivalent header names only the first counts. */
function firstOfEach(headers: readonly NamedMatch[]): readonly NamedMatch[] {
  return headers.filter(({ name }, at) => headers.findIndex((each) => each.name.toLowerCase() === name.toLowerCase()) === at);
}

function holds({ type = 'Exact', value }: NamedMatch, found: string | undefined): boolean {
  if (found === undefined) return false;
  return type === 'Exact' ? found === value : (readable(value)?.test(found) ?? true);
}

function readable(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return undefined;
  }
}

/** Exact path, then a regular expression (implementation-specific, so assumed to win), longest prefix, method, headers, query. */
function rankOf({ path: { type = 'PathPrefix', value = '/' } = {}, method, headers = [], queryParams = [] }: Match): readonly number[] {
  const kind = type === 'Exact' ? 2 : type === 'RegularExpression' ? 1 : 0;
  return [kind, value.length, method === undefined ? 0 : 1, headers.length, queryParams.length];
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((each, at) => each - (b[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
}
