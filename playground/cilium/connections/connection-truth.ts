/** What really became of every connection: scenarios are measured against it. Times are Unix milliseconds. */
import type { TruePolicy } from '../policy/realisation.ts';

export interface TrueConnection {
  readonly at: number;
  /** `namespace/name` of a pod, else `ingress`, `host <node>`, `world <address or name>`. */
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  readonly allowed: boolean;
  /** `new` = an attempt to connect (its retries are not counted), `established` = a live connection that broke, `request` = refused by a proxy (403). */
  readonly what: 'new' | 'established' | 'request';
  /** The engine's own words. */
  readonly why: string;
  /** Who connects, as named by the demo: `frontend/frontend -> backend/backend`, a client's name, `gateway`. */
  readonly name: string;
}

export interface ConnectionCounts {
  readonly total: number;
  readonly denied: number;
}

export interface Connections {
  /** The latest, oldest first (at most `connectionsKept`). */
  readonly list: readonly TrueConnection[];
  onConnection(listener: (connection: TrueConnection) => void): () => void;
  /** When the first one at or after `since` was dropped or refused that the predicate holds for. */
  firstDrop(since: number, predicate?: (connection: TrueConnection) => boolean): TrueConnection | undefined;
  /** Connections at or after `since` and before `until`. */
  counts(since: number, until: number, predicate?: (connection: TrueConnection) => boolean): ConnectionCounts;
  /** Since the start, by name; exact also when the list has forgotten. */
  totals(): Readonly<Record<string, ConnectionCounts>>;
}

/** Every policy change on every node, oldest first. */
export interface Policies {
  readonly list: readonly TruePolicy[];
  onInForce(listener: (change: TruePolicy) => void): () => void;
}

export const connectionsKept = 50_000;
const policiesKept = 10_000;

interface Record_<T> {
  readonly list: () => readonly T[];
  push(entry: T): void;
  listen(listener: (entry: T) => void): () => void;
}

function keep<T>(most: number): Record_<T> {
  let list: T[] = [];
  const listeners = new Set<(entry: T) => void>();
  return {
    list: () => list,
    push: (entry) => {
      list.push(entry);
      // Halved at twice the size: a shift for each entry would move the whole list each time.
      if (list.length >= most * 2) list = list.slice(-most);
      for (const listener of listeners) listener(entry);
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Empty records, and the functions that fill them. */
export function createConnectionTruth(): {
  readonly connections: Connections;
  readonly policies: Policies;
  readonly connected: (connection: TrueConnection) => void;
  readonly inForce: (change: TruePolicy) => void;
} {
  const connections = keep<TrueConnection>(connectionsKept);
  const policies = keep<TruePolicy>(policiesKept);
  const totals = new Map<string, { total: number; denied: number }>();
  const every = (): boolean => true;
  return {
    connections: {
      get list() {
        return connections.list();
      },
      onConnection: (listener) => connections.listen(listener),
      firstDrop: (since, predicate = every) => connections.list().find((each) => each.at >= since && !each.allowed && predicate(each)),
      counts: (since, until, predicate = every) => {
        const within = connections.list().filter((each) => each.at >= since && each.at < until && predicate(each));
        return { total: within.length, denied: within.filter((each) => !each.allowed).length };
      },
      totals: () => Object.fromEntries([...totals].map(([name, counts]) => [name, { ...counts }])),
    },
    policies: {
      get list() {
        return policies.list();
      },
      onInForce: (listener) => policies.listen(listener),
    },
    connected: (connection) => {
      const counts = totals.get(connection.name) ?? { total: 0, denied: 0 };
      counts.total += 1;
      if (!connection.allowed) counts.denied += 1;
      totals.set(connection.name, counts);
      connections.push(connection);
    },
    inForce: (change) => policies.push(change),
  };
}
