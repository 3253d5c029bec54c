import { canonicalJson, isObject, type Json, type JsonObject } from '../../json.ts';
import { isList } from '../stages/rule-document.ts';
import type { ReachChange } from './states.ts';

const MEMBERS = { ingress: ['fromCIDRSet', 'fromGroups'], egress: ['toCIDRSet', 'toGroups'] } as const;

/**
 * Groups of addresses lie outside of the policies. Each is one address here that nobody else has (of 240.0.0.0/4, which is reserved), so that it
 * shows what a change opens to the group and closes for it. One object serves all documents that are compared.
 */
export class Groups {
  readonly #names = new Map<string, string>();

  /** The document with such an address in the place of each group. */
  readonly standIns = (document: JsonObject): JsonObject => {
    const { spec, specs } = document;
    return {
      ...document,
      ...(isObject(spec) && { spec: this.#rule(spec) }),
      ...(isList(specs) && { specs: specs.map((rule) => (isObject(rule) ? this.#rule(rule) : rule)) }),
    };
  };

  /** The change with the name of the group in the place of its address. */
  named(change: ReachChange): ReachChange {
    const name = this.#names.get(change.peer.ip ?? '');
    return name === undefined ? change : { ...change, peer: { ...change.peer, fqdns: [name] } };
  }

  #rule(rule: JsonObject): JsonObject {
    const changed = (['ingress', 'egress'] as const).flatMap((direction) =>
      [direction, `${direction}Deny`].flatMap((section) => {
        const entries = rule[section];
        if (!isList(entries)) return [];
        return [[section, entries.map((entry) => (isObject(entry) ? this.#entry(entry, MEMBERS[direction]) : entry))] as const];
      }),
    );
    return { ...rule, ...Object.fromEntries(changed) };
  }

  #entry(entry: JsonObject, [sets, clouds]: readonly [string, string]): JsonObject {
    const { [sets]: set, [clouds]: cloud, ...rest } = entry;
    const inSet = isList(set) ? set.map((one) => (isObject(one) && isGroup(one) ? this.#address(nameOf(one)) : one)) : undefined;
    const inCloud = isList(cloud) && cloud.length > 0 ? cloud.map((one) => this.#address(`cloud group ${canonicalJson(one)}`)) : undefined;
    if (!inSet?.length && !inCloud) return entry;
    return { ...rest, [sets]: [...(inSet ?? []), ...(inCloud ?? [])] };
  }

  #address(name: string): JsonObject {
    const known = [...this.#names].find(([, each]) => each === name)?.[0];
    const at = this.#names.size;
    const address = known ?? `240.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
    this.#names.set(address, name);
    return { cidr: `${address}/32` };
  }
}

function isGroup(one: JsonObject): boolean {
  return typeof one['cidrGroupRef'] === 'string' ? one['cidrGroupRef'] !== '' : isObject(one['cidrGroupSelector']);
}

function nameOf({ cidrGroupRef, cidrGroupSelector, except }: JsonObject): string {
  const without: Json = isList(except) && except.length > 0 ? except : null;
  const name = typeof cidrGroupRef === 'string' && cidrGroupRef !== '' ? cidrGroupRef : canonicalJson(cidrGroupSelector ?? null);
  return `CIDR group ${name}${without === null ? '' : ` without ${canonicalJson(without)}`}`;
}
