import { isObject, type Json, type JsonObject } from '../../json.ts';
import { isList } from './rule-document.ts';

/** Parts of a rule that let a connection through on a condition which no label, port or request shows. */
const OF_PORTS: readonly string[] = ['serverNames', 'listener', 'terminatingTLS', 'originatingTLS'];

/** Has the document such a condition at all? */
export function hasUnseen(document: JsonObject): boolean {
  return JSON.stringify(unmet(document)) !== JSON.stringify(document);
}

/**
 * The document as it is for connections that meet none of these conditions (not authenticated, another server name): what lets through
 * on such a condition lets nobody through, and the default deny that it brings stays.
 */
export function unmet(document: JsonObject): JsonObject {
  const { spec, specs } = document;
  return {
    ...document,
    ...(isObject(spec) && { spec: unmetRule(spec) }),
    ...(isList(specs) && { specs: specs.map((rule) => (isObject(rule) ? unmetRule(rule) : rule)) }),
  };
}

function unmetRule(rule: JsonObject): JsonObject {
  const changed = (['ingress', 'egress'] as const).flatMap((section) => {
    const entries = rule[section];
    return isList(entries) ? [[section, entries.map((entry) => (isObject(entry) ? unmetEntry(entry, section) : entry))] as const] : [];
  });
  return { ...rule, ...Object.fromEntries(changed) };
}

function unmetEntry(entry: JsonObject, section: 'ingress' | 'egress'): Json {
  const { authentication, toPorts } = entry;
  if (isObject(authentication) && authentication['mode'] !== 'disabled')
    return { [section === 'ingress' ? 'fromEndpoints' : 'toEndpoints']: [] };
  if (!isList(toPorts)) return entry;
  // `{}` in toPorts matches nothing.
  return { ...entry, toPorts: toPorts.map((one) => (isObject(one) && OF_PORTS.some((part) => isThere(one[part])) ? {} : one)) };
}

function isThere(value: Json | undefined): boolean {
  return value !== undefined && value !== null && !(isList(value) && value.length === 0);
}
