import type { RequestEvidence } from './evidence.ts';

/** Failures of one client and path closer together than this are one failure and its retries (ms). */
const CLUSTER_MS = 1_000;
/** Clusters remembered at once; when more clients fail within a second than this, there are enough independent ones. */
const REMEMBERED = 256;
/** A power of two. */
const BUCKETS = 256;
/** Characters that say in which bucket a client is: ids of requests are random at their end, names are counted there. */
const TOLD_BY = 4;

/** One cluster, in the order in which they were counted, and in its bucket. */
interface Cluster {
  client: string;
  path: string;
  at: number;
  older: Cluster | undefined;
  newer: Cluster | undefined;
  next: Cluster | undefined;
}

/**
 * Which failures are retries of one that was counted. Sides do not matter: a retry may land on the other one. One that was under way already when the
 * first was answered is no retry but its twin: to leave out whichever fails last would count the side that fails quickly.
 *
 * A table of its own: a map would ask for client and path as one new string, hashed whole, and be searched three times for each failure that is
 * new. At worst all that are remembered are in one bucket.
 */
export class Retries {
  /** Absent until something has failed. */
  #buckets: (Cluster | undefined)[] | undefined;
  #size = 0;
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
    this.#buckets ??= Array.from({ length: BUCKETS }, () => undefined);
    const bucket = bucketOf(client);
    let cluster = this.#buckets[bucket];
    while (cluster !== undefined && (cluster.client !== client || cluster.path !== path)) cluster = cluster.next;
    if (cluster === undefined) {
      const next = this.#size === REMEMBERED ? this.#forget(this.#buckets) : blank();
      next.client = client;
      next.path = path;
      next.at = at;
      next.next = this.#buckets[bucket];
      this.#buckets[bucket] = next;
      this.#append(next);
      return undefined;
    }
    if (Math.abs(at - cluster.at) < CLUSTER_MS) return cluster.at;
    cluster.at = at;
    this.#unlink(cluster);
    this.#append(cluster);
    return undefined;
  }

  /** The oldest cluster goes, and is given back to be used again. */
  #forget(buckets: (Cluster | undefined)[]): Cluster {
    const oldest = this.#oldest ?? blank();
    this.#unlink(oldest);
    const bucket = bucketOf(oldest.client);
    let before = buckets[bucket];
    if (before === oldest) buckets[bucket] = oldest.next;
    else {
      while (before !== undefined && before.next !== oldest) before = before.next;
      if (before) before.next = oldest.next;
    }
    return oldest;
  }

  #append(cluster: Cluster): void {
    const before = this.#newest;
    cluster.older = before;
    cluster.newer = undefined;
    if (before) before.newer = cluster;
    else this.#oldest = cluster;
    this.#newest = cluster;
    this.#size += 1;
  }

  #unlink({ older, newer }: Cluster): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    this.#size -= 1;
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

function blank(): Cluster {
  return { client: '', path: '', at: 0, older: undefined, newer: undefined, next: undefined };
}

function bucketOf(client: string): number {
  let bucket = client.length;
  for (let index = Math.max(0, client.length - TOLD_BY); index < client.length; index += 1) bucket = bucket * 31 + client.charCodeAt(index);
  return bucket & (BUCKETS - 1);
}
