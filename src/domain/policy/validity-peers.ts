import { contains, parseAddress, parsePrefix } from './cidr.ts';
import type { CidrRuleDocument, IngressDocument } from './document.ts';
import { ENTITIES } from './entities.ts';
import { selectorError } from './selector.ts';

/** What is wrong, or undefined. */
export type Found = string | undefined;

export function first<T>(items: readonly T[], check: (item: T) => Found): Found {
  for (const item of items) {
    const error = check(item);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** The members that name peers exclude each other; `[]` does not count. */
export function combinationError(members: Readonly<Record<string, readonly unknown[] | undefined>>): Found {
  const [one, other] = Object.keys(members)
    .filter((name) => members[name]?.length)
    .sort();
  return other === undefined ? undefined : `combining ${one} and ${other} is not supported yet`;
}

interface PeerMembers {
  readonly endpoints: IngressDocument['fromEndpoints'];
  readonly nodes: IngressDocument['fromNodes'];
  readonly cidr: readonly string[] | undefined;
  readonly cidrSet: readonly CidrRuleDocument[] | undefined;
  readonly entities: readonly string[] | undefined;
}

export function peerError({ endpoints = [], nodes = [], cidr = [], cidrSet = [], entities = [] }: PeerMembers): Found {
  return (
    first(endpoints, selectorError) ??
    first(nodes, selectorError) ??
    first(cidr, cidrError) ??
    first(cidrSet, cidrRuleError) ??
    first(entities, (entity) => (Object.hasOwn(ENTITIES, entity) ? undefined : `unsupported entity: ${entity}`)) ??
    (nodes.length > 0 ? 'FromNodes/ToNodes rules can only be applied when the "enable-node-selector-labels" flag is set' : undefined)
  );
}

/** A bare address is accepted here, though the CRD's schema refuses it. */
function cidrError(cidr: string): Found {
  if (cidr === '') return 'IP must be specified';
  return parsePrefix(cidr) || parseAddress(cidr) ? undefined : `unable to parse CIDR: "${cidr}"`;
}

function cidrRuleError({ cidr, except = [], cidrGroupRef, cidrGroupSelector }: CidrRuleDocument): Found {
  const given = [cidr !== '', cidrGroupRef !== '', cidrGroupSelector !== undefined].filter(Boolean).length;
  const group = cidrGroupSelector ? selectorError(cidrGroupSelector) : undefined;
  if (group !== undefined) return `failed to sanitize cidrGroupSelector: ${group}`;
  if (given === 0) return 'one of cidr, cidrGroupRef, or cidrGroupSelector is required';
  if (given > 1) return 'more than one of cidr, cidrGroupRef, or cidrGroupSelector may not be set';
  if (cidr === '') return undefined;
  const prefix = parsePrefix(cidr);
  if (!prefix) return `unable to parse CIDRRule "${cidr}"`;
  return first(except, (text) => {
    const hole = parsePrefix(text);
    if (!hole) return `unable to parse the exception "${text}"`;
    return contains(prefix, hole) ? undefined : `allow CIDR prefix ${cidr} does not contain exclude CIDR prefix ${text}`;
  });
}
