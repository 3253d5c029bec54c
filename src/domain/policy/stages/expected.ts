import { DIRECTIONS, type Direction } from '../policy.ts';
import type { ConnectionEvidence, Newly } from './connection.ts';
import { acceptedKeys, anyAddressKey, type FlowGroup, groupWords } from './group.ts';

/** One kind of connection that was seen before the stage and that the stage decides otherwise, or for the first time. */
interface ExpectedKind {
  readonly group: FlowGroup;
  readonly newly: Newly;
  /** Of a peer outside: the last one that was seen. Empty for others. */
  readonly address: string;
  /** How often it was seen before the stage. */
  readonly count: number;
  /** It was seen under the stage as well. */
  readonly seen: boolean;
}

/** More kinds are not remembered. */
const MOST = 200;
const MOST_NAMED = 5;

/**
 * What a watch must see before the stage can be called healthy: silence proves nothing, and neither does the traffic that the stage does not touch.
 * Known from the records of before, by the evaluator.
 */
export class Expected {
  readonly #kinds: Map<string, ExpectedKind>;
  /** Requests of pods that are under the stage. */
  readonly #asked: Record<Direction, number>;

  constructor({ kinds, asked }: ExpectedSnapshot = { kinds: [], asked: { ingress: 0, egress: 0 } }) {
    this.#kinds = new Map(kinds.map((kind) => [keyOf(kind.newly, kind.group), kind]));
    this.#asked = { ...asked };
  }

  /** A connection or request from before the stage. */
  add({ group, newly, address }: ConnectionEvidence): void {
    if (newly === undefined || group.peer.kind === 'unknown') return;
    const key = keyOf(newly, group);
    const known = this.#kinds.get(key);
    if (!known && this.#kinds.size >= MOST) return;
    this.#kinds.set(key, { group, newly, address, count: (known?.count ?? 0) + 1, seen: known?.seen ?? false });
  }

  /** One of a pod that is under the stage. */
  saw(group: FlowGroup): void {
    if (group.request !== undefined) this.#asked[group.direction] += 1;
    for (const newly of NEWLY) {
      const key = keyOf(newly, group);
      const known = this.#kinds.get(key);
      const counts = newly !== 'proxied' || group.request !== undefined;
      if (known && !known.seen && counts) this.#kinds.set(key, { ...known, seen: true });
    }
  }

  /**
   * What `counts` of the kinds and is missing. What a proxy refuses shows by the request, and no record of before tells requests apart: so
   * many (`leastRequests`) must have come through.
   */
  missing(accepted: ReadonlySet<string>, counts: (kind: ExpectedKind) => boolean, leastRequests: number): Missing {
    const kinds = [...this.#kinds.values()].filter((kind) => counts(kind) && acceptedKeys(accepted, kind.group).length === 0);
    const unseen = kinds.filter(({ seen }) => !seen).toSorted((a, b) => b.count - a.count);
    const isSilent = ({ newly, group: { direction } }: ExpectedKind) =>
      !kinds.some((other) => other.seen && other.newly === newly && other.group.direction === direction);
    const needed = unseen.filter((kind) => kind.newly === 'denied' || isSilent(kind));
    const short = DIRECTIONS.filter((direction) => {
      const isProxied = kinds.some(({ newly, group }) => newly === 'proxied' && group.direction === direction);
      return isProxied && this.#asked[direction] < leastRequests;
    }).map(
      (direction) => `${this.#asked[direction]} of ${leastRequests} requests ${direction === 'ingress' ? 'in' : 'out'} through the proxy`,
    );
    const words = [...(needed.length > 0 ? [missingWords(needed)] : []), ...short].join('; ');
    return { unseen, needed: words === '' ? undefined : words };
  }

  snapshot() {
    const kinds = [...this.#kinds.values()].map(({ group, ...kind }) => {
      const { peer, direction, protocol, port, where, request } = group;
      const rest = {
        ...(port !== undefined && { port }),
        ...(where !== undefined && { where }),
        ...(request !== undefined && { request }),
      };
      return { ...kind, group: { peer: { ...peer }, direction, protocol, ...rest } };
    });
    return { kinds, asked: { ...this.#asked } };
  }
}

interface ExpectedSnapshot {
  readonly kinds: readonly ExpectedKind[];
  readonly asked: Readonly<Record<Direction, number>>;
}

export interface Missing {
  readonly unseen: readonly ExpectedKind[];
  /** Without this the stage has proved nothing of what it changes, in words. */
  readonly needed: string | undefined;
}

const NEWLY: readonly Newly[] = ['denied', 'enforced', 'proxied'];

/** What would be denied is told apart by its request; what is let through by who calls which port. */
function keyOf(newly: Newly, group: FlowGroup): string {
  const { request: _, ...connection } = group;
  return `${newly} ${anyAddressKey(newly === 'denied' ? group : connection)}`;
}

/** `3 connections from external/external to port 8080/TCP, which the policy denies`. */
export function missingWords(kinds: readonly ExpectedKind[]): string {
  const named = kinds.slice(0, MOST_NAMED).map(({ group, newly, count }) => {
    const unit = newly === 'proxied' ? 'requests over connections' : group.request === undefined ? 'connections' : 'requests';
    const denied = newly === 'denied' ? ', which the policy denies' : '';
    const kind = { ...group, where: undefined };
    return `${unit} ${groupWords(newly === 'denied' ? kind : { ...kind, request: undefined })}${denied} (${count} before)`;
  });
  const more = kinds.length > MOST_NAMED ? ` and ${kinds.length - MOST_NAMED} more kinds` : '';
  return `${named.join('; ')}${more}`;
}
