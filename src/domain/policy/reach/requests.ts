import type { HttpRequest } from '../flow.ts';
import type { DnsRule, HttpRule } from '../policy.ts';
import { bitsOf, type Choice, type Classes, classesOf } from './conjunctions.ts';
import { type Alphabet, HOSTS, METHODS, NAMES, PATHS, textClasses } from './texts.ts';

const MOST_REQUESTS = 400;

/** Found before: policies repeat their rules, and each answer costs milliseconds. */
const known = new Map<string, Classes<Partial<HttpRequest>>>();
const MOST_KNOWN = 200;

/** A request for every set of these rules that can permit a request together. */
export function requestClasses(rules: readonly HttpRule[]): Classes<Partial<HttpRequest>> {
  const distinct = [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).entries()].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const key = distinct.map(([text]) => text).join();
  const classes = known.get(key) ?? findClasses(distinct.map(([, rule]) => rule));
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, classes);
  return classes;
}

function findClasses(rules: readonly HttpRule[]): Classes<Partial<HttpRequest>> {
  const part = (name: 'method' | 'path' | 'host', alphabet: Alphabet) => textPart(rules, name, alphabet);
  const parts = [part('method', METHODS), part('path', PATHS), part('host', HOSTS)];
  const { members, cut } = classesOf([...parts.map(({ choices }) => choices), ...headerParts(rules)], rules.length, MOST_REQUESTS);
  return { members, cut: cut || parts.some((one) => one.cut) };
}

/** The request out of its parts. */
export function requestOf(parts: readonly Partial<HttpRequest>[]): HttpRequest {
  const headers = Object.assign({}, ...parts.map((part) => part.headers ?? {})) as Record<string, string>;
  return { method: 'GET', path: '/', host: 'host', ...Object.assign({}, ...parts), headers };
}

function textPart(rules: readonly HttpRule[], name: 'method' | 'path' | 'host', alphabet: Alphabet) {
  const patterns = [...new Set(rules.map((rule) => rule[name]).filter((pattern) => pattern !== ''))];
  const { choices, cut } = textClasses(patterns, alphabet);
  const made = choices.map(
    ({ value, keeps }): Choice<Partial<HttpRequest>> => ({
      value: { [name]: value },
      keeps: bitsOf(rules, (rule) => rule[name] === '' || ((keeps >> BigInt(patterns.indexOf(rule[name]))) & 1n) === 1n),
    }),
  );
  return { choices: patterns.length === 0 ? [{ value: {}, keeps: bitsOf(rules, () => true) }] : made, cut };
}

/** Of each header that a rule names: absent, each value, and another one. */
function headerParts(rules: readonly HttpRule[]): readonly (readonly Choice<Partial<HttpRequest>>[])[] {
  const names = [...new Set(rules.flatMap(({ headers }) => headers.map((header) => header.name.toLowerCase())))];
  return names.map((name) => {
    const wanted = (rule: HttpRule) => rule.headers.filter((header) => header.name.toLowerCase() === name);
    const values = [...new Set(rules.flatMap((rule) => wanted(rule).flatMap(({ value }) => value ?? [])))];
    return [undefined, ...values, 'any-other'].map((value) => ({
      value: value === undefined ? {} : { headers: { [name]: value } },
      keeps: bitsOf(rules, (rule) =>
        wanted(rule).every((header) => value !== undefined && (header.value === null || header.value === value)),
      ),
    }));
  });
}

/** A name for every set of DNS rules (or of `toFQDNs` entries) that can match a name together. */
export function nameClasses(rules: readonly DnsRule[]): { readonly names: readonly string[]; readonly cut: boolean } {
  const patterns = [...new Set(rules.flatMap(({ matchName, matchPattern }) => [matchName, matchPattern]).filter((one) => one !== ''))];
  const { choices, cut } = textClasses(patterns.map(regexOf), NAMES);
  return { names: choices.map(({ value }) => value).filter((name) => name.length > 1 && name.endsWith('.')), cut };
}

/** The same set of names as `dns-pattern.ts` takes the pattern for, as a regular expression over names with their final dot. */
function regexOf(pattern: string): string {
  const lower = pattern.toLowerCase();
  const dotted = lower.endsWith('.') ? lower : `${lower}.`;
  if (/^\*+\.$/.test(dotted)) return '(?:[-a-z0-9_]+\\.)+';
  const deep = /^\*\*+\./.exec(dotted);
  const rest = (deep ? dotted.slice(deep[0].length) : dotted).replaceAll('.', '\\.').replaceAll(/\*+/g, '[-a-z0-9_]*');
  return `${deep ? '(?:[-a-z0-9_]+\\.)+' : ''}${rest}`;
}
