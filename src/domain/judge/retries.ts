import type { RequestEvidence } from '../evidence.ts';

/** Failures of one client and path closer together than this are one failure and its retries (ms). */
const CLUSTER_MS = 1_000;
/** Clusters remembered at once; when more clients fail within a second than this, there are enough independent ones. */
const REMEMBERED = 256;

/**
 * Which failures are retries of one that was counted. Sides do not matter: a retry may land on the other one. One that was under way already when the
 * first was answered is no retry but its twin: to leave out whichever fails last would count the side that fails quickly.
 */
export class Retries {
  readonly #counted: Map<string, number>;

  constructor(from: Readonly<Record<string, number>> = {}) {
    this.#counted = new Map(Object.entries(from));
  }

  /** Whether this failure is another one of a cluster that is counted already. Without a client nothing can be told. */
  known({ client, path, at, latencyMs, startedAt = at - latencyMs }: RequestEvidence): 'again' | 'twin' | undefined {
    if (client === undefined) return undefined;
    const key = `${client} ${path ?? ''}`;
    const first = this.#counted.get(key);
    if (first !== undefined && Math.abs(at - first) < CLUSTER_MS) return startedAt < first ? 'twin' : 'again';
    if (first !== undefined) this.#counted.delete(key);
    this.#counted.set(key, at);
    if (this.#counted.size > REMEMBERED) this.#counted.delete(this.#counted.keys().next().value ?? '');
    return undefined;
  }

  /** Only what can still matter at `now`. */
  snapshot(now: number): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counted].filter(([, at]) => now - at < CLUSTER_MS));
  }
}
