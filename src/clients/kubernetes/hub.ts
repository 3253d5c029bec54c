import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import type { Cluster } from './cluster.ts';
import { isFailure } from './failure.ts';
import { collectionPath, type KubeObject, type Resource } from './objects.ts';
import { byName, byService, EVERYTHING, ObjectStore } from './store.ts';

/** What a follower of one key is told. */
export interface Follower {
  /** All objects under the key, now. Called once when the list is there, then on every change. */
  changed(objects: readonly KubeObject[]): void;
  /** The API has not been seen for a while (`true`), or is seen again (`false`): what was told last may be old. */
  stale?(stale: boolean, reason: string): void;
}

/** One watch per resource and worker, shared by everybody who follows something in it. */
export interface Hub {
  /** Follows one key until the signal aborts. Listeners run synchronously, in the order of the API's events. */
  follow(resource: Resource, key: string, follower: Follower, signal: AbortSignal): void;
  close(): void;
}

/** A watch that nobody follows is kept this long: the next stage follows the same things. */
const LINGER_MS = 30_000;
/** The apiserver closes connections that are idle for longer than a minute and a half. */
const WARM_EVERY_MS = 20_000;
const RETRY_MS = [50, 200, 500, 1_000] as const;
/** A watch that the server has ended is a new one at once, unless it was shorter than this (ms). */
const SHORT_MS = 250;

/** Builds the hub of one cluster. `staleMs`: how long the API may be away before followers hear of it. */
export function createHub(deps: { readonly cluster: Cluster; readonly log: Log; readonly staleMs?: number }): Hub {
  const informers = new Map<string, Informer>();
  const stop = new AbortController();
  // Somebody watches, so somebody may have to write at once. That the API is away is told by the watches themselves.
  const warm = (): void => {
    if (informers.size === 0) return;
    deps.cluster
      .ping({ signal: stop.signal })
      .catch((error: unknown) => deps.log.debug({ err: error }, 'the Kubernetes API did not answer a ping'));
  };
  const warming = setInterval(warm, WARM_EVERY_MS).unref();
  return {
    follow(resource, key, follower, signal) {
      const path = collectionPath(resource);
      const informer = informers.get(path) ?? createInformer({ ...deps, resource, ended: () => informers.delete(path) });
      informers.set(path, informer);
      informer.add(key, follower, signal);
    },
    close: () => {
      clearInterval(warming);
      stop.abort();
      for (const informer of informers.values()) informer.close();
    },
  };
}

interface Informer {
  add(key: string, follower: Follower, signal: AbortSignal): void;
  close(): void;
}

interface InformerDeps {
  readonly cluster: Cluster;
  readonly log: Log;
  readonly staleMs?: number;
  readonly resource: Resource;
  readonly ended: () => void;
}

function createInformer(deps: InformerDeps): Informer {
  const followers = new Map<string, Set<Follower>>();
  const store = new ObjectStore(deps.resource.kind === 'EndpointSlice' ? byService : byName);
  const stop = new AbortController();
  let synced = false;
  let stale: string | undefined;
  let lingering: NodeJS.Timeout | undefined;

  const close = (): void => {
    clearTimeout(lingering);
    stop.abort();
    deps.ended();
  };
  const tell = (keys: Iterable<string>): void => {
    for (const key of new Set([...keys, EVERYTHING])) for (const follower of followers.get(key) ?? []) follower.changed(store.under(key));
  };
  const setStale = (reason: string | undefined): void => {
    if ((reason === undefined) === (stale === undefined)) return;
    stale = reason;
    for (const set of followers.values()) for (const follower of set) follower.stale?.(reason !== undefined, reason ?? 'seen again');
  };
  const listed = (items: readonly KubeObject[]): void => {
    const keys = store.replace(items);
    synced = true;
    tell(new Set([...keys, ...followers.keys()]));
  };
  const changed = (type: string, object: KubeObject): void => tell(store.put(type, object));
  void run({ ...deps, signal: stop.signal, listed, changed, setStale }).catch((error: unknown) => {
    if (!stop.signal.aborted) deps.log.error({ err: error, kind: deps.resource.kind }, 'a shared Kubernetes watch ended');
  });

  return {
    add(key, follower, signal) {
      if (signal.aborted) return;
      clearTimeout(lingering);
      const set = followers.get(key) ?? new Set<Follower>();
      followers.set(key, set.add(follower));
      signal.addEventListener('abort', () => leave(key, follower), { once: true });
      if (synced) follower.changed(store.under(key));
      if (stale !== undefined) follower.stale?.(true, stale);
    },
    close,
  };

  function leave(key: string, follower: Follower): void {
    const set = followers.get(key);
    set?.delete(follower);
    if (set?.size === 0) followers.delete(key);
    if (followers.size === 0 && !stop.signal.aborted) lingering = setTimeout(close, LINGER_MS).unref();
  }
}

interface Loop extends InformerDeps {
  readonly signal: AbortSignal;
  listed(items: readonly KubeObject[]): void;
  changed(type: string, object: KubeObject): void;
  setStale(reason: string | undefined): void;
}

/** List, watch, resume from the last version; after 410 list again. Ends only by signal. */
async function run(loop: Loop): Promise<void> {
  const { cluster, resource, signal } = loop;
  let version: string | undefined;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  const alive = (): void => {
    failures = 0;
    clearTimeout(timer);
    timer = undefined;
    loop.setStale(undefined);
  };
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const list = await cluster.list(resource, {}, { signal });
        version = list.resourceVersion;
        loop.listed(list.items);
      }
      const startedAt = performance.now();
      const events = cluster.watch(resource, version, { signal, opened: alive });
      for await (const event of events) {
        if (event.type === 'BOOKMARK') version = event.resourceVersion;
        else {
          version = event.object.metadata.resourceVersion;
          loop.changed(event.type, event.object);
        }
      }
      // Somebody on the way ends every watch at once: it is asked for again, but not without a pause.
      if (performance.now() - startedAt < SHORT_MS) await sleep(SHORT_MS, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      if (isFailure(error, 'Expired')) version = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      loop.log.warn({ kind: resource.kind, reason }, 'a shared Kubernetes watch broke; resuming');
      timer ??= setTimeout(() => loop.setStale(reason), loop.staleMs ?? 2_000);
      const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 1_000;
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }
}
