/** A live copy of one kind: list, then watch, and start over when the server forgets where we were. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Kube, KubeError, type Resource } from './client.ts';
import { type KubeObject, keyOf } from './types.ts';

export interface Mirror<T extends KubeObject> {
  /** By `namespace/name` (`/name` for cluster-wide kinds). */
  readonly objects: ReadonlyMap<string, T>;
  /** Resolves when the first list is in. */
  readonly synced: Promise<void>;
}

export interface MirrorOptions<T extends KubeObject> {
  readonly kube: Kube;
  readonly of: Resource;
  readonly signal: AbortSignal;
  /** Called after every change, with the object now (undefined = deleted) and the key. */
  readonly onChange: (key: string, object: T | undefined) => void;
  readonly onError: (error: unknown) => void;
  /** Left out: every object. */
  readonly keeps?: (object: T) => boolean;
}

/** Starts mirroring; ends by the signal. Errors are reported and retried after half a second. */
export function mirror<T extends KubeObject>(options: MirrorOptions<T>): Mirror<T> {
  const objects = new Map<string, T>();
  const { promise, resolve } = Promise.withResolvers<void>();
  void follow(options, objects, resolve);
  return { objects, synced: promise };
}

async function follow<T extends KubeObject>(options: MirrorOptions<T>, objects: Map<string, T>, synced: () => void): Promise<void> {
  const { signal } = options;
  while (!signal.aborted) {
    try {
      const from = await relist(options, objects);
      synced();
      await watchFrom(options, objects, from);
    } catch (error) {
      if (signal.aborted) return;
      options.onError(error);
      await wait(500, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function relist<T extends KubeObject>(options: MirrorOptions<T>, objects: Map<string, T>): Promise<string> {
  const list = await options.kube.list<T>(options.of);
  const gone = new Set(objects.keys());
  for (const object of list.items.filter((one) => options.keeps?.(one) ?? true)) {
    const key = keyOf(object);
    gone.delete(key);
    if (objects.get(key)?.metadata.resourceVersion === object.metadata.resourceVersion) continue;
    objects.set(key, object);
    options.onChange(key, object);
  }
  for (const key of gone) {
    objects.delete(key);
    options.onChange(key, undefined);
  }
  return list.resourceVersion;
}

async function watchFrom<T extends KubeObject>(options: MirrorOptions<T>, objects: Map<string, T>, from: string): Promise<void> {
  let version = from;
  while (!options.signal.aborted) {
    for await (const event of options.kube.watch(options.of, version, options.signal)) {
      if (event.type === 'ERROR') {
        if (event.object.code === 410) return;
        throw new KubeError(event.object.code ?? 0, `Watch of ${options.of.plural} failed`);
      }
      version = event.object.metadata.resourceVersion ?? version;
      if (event.type === 'BOOKMARK') continue;
      const object = event.object as unknown as T;
      if (options.keeps?.(object) === false) continue;
      const key = keyOf(object);
      if (event.type === 'DELETED') objects.delete(key);
      else objects.set(key, object);
      options.onChange(key, event.type === 'DELETED' ? undefined : object);
    }
  }
}
