import type { Direction } from '../policy.ts';
import { doubtKey, keysOf, peerOf, requestOf, whereOf } from '../stages/group.ts';
import type { FlowExample, SeenFlow } from './flow.ts';
import { type GroupPeer, groupPeer } from './peer-name.ts';

/** Connections (or requests) that differ in nothing people would decide on. */
export interface FlowGroup {
  readonly direction: Direction;
  readonly peer: GroupPeer;
  readonly protocol: string;
  /** Absent for ICMP. */
  readonly port: number | undefined;
  /** `GET /admin`, where the request decided and not the connection. */
  readonly request?: string;
  /** What `--accept` takes, and all keys that speak of it. */
  readonly key: string;
  readonly keys: readonly string[];
  readonly count: number;
  readonly unit: 'connection' | 'request';
  /** Epoch ms. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly example: FlowExample;
  /** Which rule decides, in one sentence. */
  readonly why: string;
}

/** Never more than this many groups are kept apart: a port scan must not fill the memory. What comes later is counted. */
const MOST_GROUPS = 2_000;

export interface Groups {
  add(seen: SeenFlow, why: () => string): void;
  /** Largest first; equal ones by name, so that two runs read the same. */
  readonly list: readonly FlowGroup[];
  /** Connections and requests that found no group any more. */
  readonly overflow: number;
}

export function createGroups(): Groups {
  const groups = new Map<string, FlowGroup>();
  let overflow = 0;
  return {
    add(seen, why) {
      const key = keyOf(seen);
      const known = groups.get(key);
      if (known) {
        groups.set(key, {
          ...known,
          count: known.count + 1,
          firstSeen: Math.min(known.firstSeen, seen.at),
          lastSeen: Math.max(known.lastSeen, seen.at),
        });
      } else if (groups.size >= MOST_GROUPS) overflow += 1;
      else groups.set(key, newGroup(seen, why()));
    },
    get list() {
      return [...groups.values()].toSorted(
        (a, b) => b.count - a.count || `${a.key} ${a.peer.labels.join()}`.localeCompare(`${b.key} ${b.peer.labels.join()}`),
      );
    },
    get overflow() {
      return overflow;
    },
  };
}

function keyOf({ flow, direction, unit, example }: SeenFlow): string {
  const { name, labels } = groupPeer(direction === 'ingress' ? flow.source : flow.destination);
  const request = unit === 'request' ? (example.request?.split('?')[0] ?? '') : '';
  return JSON.stringify([direction, name, labels, flow.protocol, flow.destinationPort ?? flow.icmpType, unit, request]);
}

function newGroup({ flow, direction, unit, example, at }: SeenFlow, why: string): FlowGroup {
  const other = direction === 'ingress' ? flow.source : flow.destination;
  const port = flow.destinationPort;
  const group = {
    peer: peerOf(other.labels),
    direction,
    protocol: flow.protocol,
    port,
    where: whereOf(other),
    request: unit === 'request' ? requestOf(example.request) : undefined,
  };
  return {
    direction,
    peer: groupPeer(other),
    protocol: flow.protocol,
    port,
    ...(unit === 'request' && example.request !== undefined ? { request: example.request.split('?')[0] ?? '' } : {}),
    key: doubtKey(group),
    keys: keysOf(group),
    count: 1,
    unit,
    firstSeen: at,
    lastSeen: at,
    example,
    why,
  };
}
