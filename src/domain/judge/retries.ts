import type { RequestEvidence } from '../evidence.ts';

/** Failures of one client and path closer together than this are one failure and its retries (ms). */
const CLUSTER_MS = 1_000;
/** Clusters remembered at once; when more clients fail within a second than this, there are enough independent ones. */
const REMEMBERED = 256;

/** One cluster: in the order in which they were counted, and beside those of the same client. */
interface Cluster {
  client: string;
  path: string;
  at: number;
  /** Another path of the same client. */
  sibling: Cluster | undefined;
  older: Cluster | undefined;
  newer: Cluster | undefined;
}

/**
 * Which failures are retries of one that was counted. Sides do not matter: a retry may land on the other one. One that was under way already when the
 * first was answered is no retry but its twin: to leave out whichever fails last would count the side that fails quickly.
 *
 * Found by the client's own string: to join it with the path and to hash the result would cost more than all else that a failure is asked.
 */
export class Retries {
  /** The newest cluster of each client; absent until something has failed. */
  #counted: Map<string, Cluster> | undefined;
  #size = 0;
  #spare: Cluster | undefined;
  #oldest: Cluster | undefined;
  #newest: Cluster | undefined;

  constructor(from: Readonly<Record<string, number>> = {}) {
    for (const [key, at] of Object.entries(from)) {
      const space = key.indexOf(' ');
      this.#count(key.slice(0, space), key.slice(space + 1), at);
    }
  }

  /** Whether this failure is another one of a cluster that is counted already. Without a client nothing can be told. */
  known({ client, path = '', at, latencyMs, startedAt = at - latencyMs }: RequestEvidence): 'again' | 'twin' | undefined {
    if (client === undefined) return undefined;
    const first = this.#count(client, path, at);
    if (first === undefined) return undefined;
    return startedAt < first ? 'twin' : 'again';
  }

  /** When the cluster began that a failure at `at` belongs to; undefined: it begins one. */
  #count(client: string, path: string, at: number): number | undefined {
    this.#counted ??= new Map();
    const head = this.#counted.get(client);
    let cluster = head;
    while (cluster !== undefined && cluster.path !== path) cluster = cluster.sibling;
    if (cluster === undefined) {
      this.#begin(this.#counted, { client, path, at, sibling: head });
      return undefined;
    }
    if (Math.abs(at - cluster.at) < CLUSTER_MS) return cluster.at;
    cluster.at = at;
    this.#unlink(cluster);
    this.#append(cluster);
    return undefined;
  }

  /** Where too many would be remembered the oldest one goes, and is used again by the next. */
  #begin(counted: Map<string, Cluster>, { client, path, at, sibling }: Pick<Cluster, 'client' | 'path' | 'at' | 'sibling'>): void {
    const cluster = this.#spare ?? { client, path, at, sibling, older: undefined, newer: undefined };
    this.#spare = undefined;
    cluster.client = client;
    cluster.path = path;
    cluster.at = at;
    cluster.sibling = sibling;
    counted.set(client, cluster);
    this.#append(cluster);
    this.#size += 1;
    if (this.#size > REMEMBERED && this.#oldest) this.#forget(counted, this.#oldest);
  }

  #forget(counted: Map<string, Cluster>, cluster: Cluster): void {
    this.#unlink(cluster);
    this.#size -= 1;
    this.#spare = cluster;
    let one = counted.get(cluster.client);
    if (one !== cluster) {
      while (one && one.sibling !== cluster) one = one.sibling;
      if (one) one.sibling = cluster.sibling;
    } else if (cluster.sibling) counted.set(cluster.client, cluster.sibling);
    else counted.delete(cluster.client);
  }

  #append(cluster: Cluster): void {
    const before = this.#newest;
    cluster.older = before;
    cluster.newer = undefined;
    if (before) before.newer = cluster;
    else this.#oldest = cluster;
    this.#newest = cluster;
  }

  #unlink({ older, newer }: Cluster): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }

  /** Only what can still matter at `now`. */
  snapshot(now: number): Readonly<Record<string, number>> {
    const entries: [string, number][] = [];
    for (let one = this.#oldest; one; one = one.newer) {
      if (now - one.at < CLUSTER_MS) entries.push([`${one.client} ${one.path}`, one.at]);
    }
    return Object.fromEntries(entries);
  }
}
