import { canonicalJson, type JsonObject } from '../../json.ts';
import { type CompileWorld, isIcmp } from '../flow.ts';
import type { Identity } from '../identity.ts';
import { parsePolicy } from '../parse.ts';
import { DIRECTIONS, type Direction, type Policy } from '../policy.ts';
import { type CompiledRule, covers, matchesPeer, PROTOCOL_BITS } from '../rules.ts';
import { hasUnseen, unmet } from '../stages/unseen.ts';
import { subjectsOf } from './between.ts';
import { Groups } from './groups.ts';
import { type Space, spaceOf } from './space.ts';
import { namedPortsFor, type ReachChange, type Rest, States, type What } from './states.ts';

export interface ReachChanges {
  readonly opens: readonly ReachChange[];
  readonly closes: readonly ReachChange[];
  /** Too many kinds of flows to look at each: what is missing may be in either list. */
  readonly cut: boolean;
}

/** More of one kind says nothing more to people. */
const MOST_KEPT = 500;

/**
 * What becomes reachable, and what does not any more, when these documents take the place of those: every pair of identities, port and kind
 * of request that their rules tell apart. Yields often, so that a caller can let others have their turn.
 */
export function* reachChanges(
  before: readonly JsonObject[],
  after: readonly JsonObject[],
  world: CompileWorld,
): Generator<undefined, ReachChanges> {
  const found = new Map<string, ReachChange>();
  let isCut = false;
  const groups = new Groups();
  // Once as if every condition were met that the evaluator cannot see, and once as if none were.
  for (const seen of [...before, ...after].some(hasUnseen) ? [(one: JsonObject) => one, unmet] : [(one: JsonObject) => one]) {
    const parse = parser(world, (one) => seen(groups.standIns(one)));
    const states = [
      { name: 'before', policies: parse(before) },
      { name: 'after', policies: parse(after) },
    ];
    isCut = (yield* collect(new States(states, world), world.clusterName ?? 'default', found)) || isCut;
  }
  const all = [...found.values()].map((change) => groups.named(change));
  return { opens: all.filter(({ kind }) => kind === 'opens'), closes: all.filter(({ kind }) => kind === 'closes'), cut: isCut };
}

/** Adds what is different to `found`; true where not everything could be looked at. */
function* collect(all: States, clusterName: string, found: Map<string, ReachChange>): Generator<undefined, boolean> {
  const { subjects, cut } = subjectsOf(all, clusterName, 'subjects');
  let isCut = cut;
  for (const subject of subjects) {
    for (const direction of DIRECTIONS) {
      const { distinct } = all.selecting(subject)[direction];
      if (distinct.length === 1) continue;
      const rules: readonly CompiledRule[] = [...new Set(distinct.flatMap((side) => side.rules))];
      const space = spaceOf(all, rules, subject, direction, clusterName);
      isCut ||= space.cut;
      const restOf = restIn(all, rules, space, direction);
      for (const peer of space.peers) {
        yield undefined;
        for (const what of space.whats) {
          const [before, after] = all.allows(subject, direction, peer, what);
          if (before === after || found.size >= MOST_KEPT) continue;
          const rest = { peer: restOf.peer(peer), port: restOf.port(what) };
          const change: ReachChange = { kind: after ? 'opens' : 'closes', direction, peer: peer.peer, what, rest };
          found.set(canonicalJson(keyOf(change)), change);
        }
      }
    }
  }
  return isCut;
}

/** Whether rules name a peer or a port. A rule for everybody names nobody. */
function restIn(all: States, rules: readonly CompiledRule[], { peers, whats }: Space, direction: Direction) {
  const matches = rules.map(
    ({ peers: wanted }) =>
      (peer: Identity): boolean =>
        matchesPeer(wanted, peer, all.table),
  );
  const naming = matches.filter((matching) => peers.some(matching) && !peers.every(matching));
  const named = namedPortsFor(rules);
  const covering = rules
    .flatMap(({ ports }) => ports)
    .map(
      (port) =>
        (what: What): boolean =>
          covers(port, PROTOCOL_BITS[what.protocol], numberOf(what), named, direction === 'ingress'),
    );
  const telling = covering.filter((covered) =>
    whats.some((one) => covered(one) && whats.some((other) => other.protocol === one.protocol && !covered(other))),
  );
  return {
    peer: (peer: Identity): Rest =>
      restOf(
        naming.length,
        naming.some((matching) => matching(peer)),
      ),
    port: (what: What): Rest =>
      restOf(telling.length, what.http !== undefined || what.dns !== undefined || telling.some((covered) => covered(what))),
  };
}

function restOf(naming: number, isNamed: boolean): Rest {
  if (isNamed) return 'named';
  return naming === 0 ? 'all' : 'others';
}

function numberOf({ protocol, icmpType, destinationPort }: What): number {
  return (isIcmp(protocol) ? icmpType : destinationPort) ?? 0;
}

function keyOf({ kind, direction, peer, what }: ReachChange): JsonObject {
  const { protocol, destinationPort = 0, icmpType = 0, http, dns } = what;
  const asked = http ? { method: http.method, path: http.path, host: http.host, headers: { ...http.headers } } : null;
  return {
    kind,
    direction,
    labels: [...peer.labels],
    ip: peer.ip ?? '',
    names: [...(peer.fqdns ?? [])],
    protocol,
    destinationPort,
    icmpType,
    asked,
    query: dns?.query ?? '',
  };
}

/** What the engine makes of documents, one object for one text, so that what both have in common is the same rule. */
function parser(
  { clusterName }: CompileWorld,
  seen: (document: JsonObject) => JsonObject,
): (documents: readonly JsonObject[]) => readonly Policy[] {
  const known = new Map<string, readonly Policy[]>();
  return (documents) =>
    documents.flatMap((document) => {
      const text = canonicalJson(document);
      const parsed = known.get(text) ?? parsedOf(seen(document), clusterName);
      known.set(text, parsed);
      return parsed;
    });
}

function parsedOf(document: JsonObject, clusterName: string | undefined): readonly Policy[] {
  const parsed = parsePolicy(document, clusterName === undefined ? {} : { clusterName });
  return parsed.ok ? [parsed.policy] : [];
}
