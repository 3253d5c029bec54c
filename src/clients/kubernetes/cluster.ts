import type { KubeConfig } from '@kubernetes/client-node';
import type { JsonObject } from '../../domain/json.ts';
import type { KubernetesIdentity } from '../../domain/lifecycle/actor.ts';
import type { ObjectRef } from '../../domain/lifecycle/plan.ts';
import { failureOf, isFailure } from './failure.ts';
import { CONFIG_MAP, collectionPath, type KubeObject, objectPath, type PatchOp, type Resource } from './objects.ts';
import { createRest, type Rest } from './rest.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly as?: KubernetesIdentity | undefined;
  /** Milliseconds; 5 s when not given. */
  readonly deadlineMs?: number;
}

/** What is asked in a SelfSubjectAccessReview. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Called when the server has accepted the watch: nothing may happen for a long time after it. */
  readonly opened?: (() => void) | undefined;
}

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** One Kubernetes cluster as the activities use it. Every call throws ClusterFailure with the API's own reason. */
export interface Cluster {
  /** Where Cilium is installed; left out: kube-system. */
  readonly ciliumNamespace?: string;
  /** The object, or undefined when there is none. */
  read<T extends KubeObject = KubeObject>(ref: ObjectRef, options: CallOptions): Promise<T | undefined>;
  /**
   * Every object, page by page. `part` says what is kept of each: of thousands of whole objects the garbage collector would copy so much at a time
   * that it holds up the fuses, which fire on the same thread.
   */
  list<T extends KubeObject = KubeObject, P = T>(
    resource: Resource,
    where: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
    options: CallOptions & { readonly part?: (object: T) => P },
  ): Promise<{ readonly items: readonly P[]; readonly resourceVersion: string }>;
  /** JSON patch with strict field validation; returns the object as it is now (or, in a dry run, as it would be). */
  patch(ref: ObjectRef, ops: readonly PatchOp[], options: CallOptions & { readonly dryRun?: boolean }): Promise<KubeObject>;
  /** Makes an object, with strict field validation. Throws `AlreadyExists` when the name is taken. */
  create(object: JsonObject, ref: ObjectRef, options: CallOptions & { readonly dryRun?: boolean }): Promise<KubeObject>;
  /** Removes exactly this version of this object. Throws `Conflict` when it has changed since, `NotFound` when it is not there. */
  remove(
    ref: ObjectRef,
    version: { readonly uid: string; readonly resourceVersion: string },
    options: CallOptions & { readonly dryRun?: boolean },
  ): Promise<void>;
  /** May the caller (or the impersonated person) do this? */
  mayI(right: Right, options: CallOptions): Promise<{ readonly allowed: boolean; readonly reason: string }>;
  /** Events after `resourceVersion`, until the server ends the watch. Throws `Expired` when that version is too old. */
  watch(resource: Resource, resourceVersion: string, options: WatchOptions): AsyncGenerator<WatchEvent>;
  /** The smallest question that every account may ask: keeps a connection open for a write that must not wait for a handshake. */
  ping(options: CallOptions): Promise<void>;
  close(): void;
}

const DEADLINE_MS = 5_000;
/** One answer holds about so many bytes: it is parsed in one go, for a millisecond or two, and the fuses wait meanwhile. */
const PAGE_BYTES = 192 * 1_024;
/** Objects in the first answer, before their size is known, and in any. */
const FIRST_PAGE = 20;
const LARGEST_PAGE = 500;
/** The server ends a watch after this long; we resume from the last version seen. */
const WATCH_SECONDS = 240;
/** A live watch gets a bookmark about once a minute; twice that in silence is a dead connection. */
const WATCH_IDLE_MS = 130_000;
/** Written to metadata.managedFields, so that a person can see whose a field is. */
export const FIELD_MANAGER = 'meshops';

/** Cilium's own settings, as its ConfigMap has them. */
export function ciliumConfigOf({ ciliumNamespace = 'kube-system' }: Pick<Cluster, 'ciliumNamespace'>): ObjectRef {
  return { ...CONFIG_MAP, namespace: ciliumNamespace, name: 'cilium-config' };
}

/** Connects to the current context of `config`. No request is made yet. */
export function connectCluster(config: KubeConfig, { ciliumNamespace }: { readonly ciliumNamespace?: string } = {}): Cluster {
  const rest = createRest(config);
  return {
    ...(ciliumNamespace !== undefined && { ciliumNamespace }),
    read: async <T extends KubeObject>(ref: ObjectRef, options: CallOptions) => {
      try {
        return (await rest.call({ method: 'GET', path: objectPath(ref), ...common(options) })) as T;
      } catch (error) {
        if (isFailure(error, 'NotFound')) return undefined;
        throw error;
      }
    },
    list: async <T extends KubeObject, P>(
      resource: Resource,
      where: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
      options: CallOptions & { readonly part?: (object: T) => P },
    ) => {
      const path = collectionPath(resource, where.namespace);
      const { part = (object: T) => object as unknown as P } = options;
      const items: P[] = [];
      let limit = FIRST_PAGE;
      let bytes = 0;
      const heard = (_: unknown, length: number): void => void (bytes = length);
      for (let from: string | undefined; ; ) {
        const query = { labelSelector: where.labelSelector, fieldSelector: where.fieldSelector, limit: String(limit), continue: from };
        const answer = (await rest.call({ method: 'GET', path, query, heard, ...common(options) })) as RawList<T>;
        // Members of a list carry no kind and apiVersion of their own.
        for (const item of answer.items) items.push(part({ ...item, kind: resource.kind, apiVersion: resource.apiVersion }));
        limit = nextPage(limit, bytes / Math.max(1, answer.items.length));
        from = answer.metadata.continue || undefined;
        if (from === undefined) return { items, resourceVersion: answer.metadata.resourceVersion };
      }
    },
    patch: (ref, ops, options) => patch(rest, ref, ops, options),
    create: async (object, ref, options) => {
      const query = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', dryRun: options.dryRun ? 'All' : undefined };
      const path = collectionPath(ref, ref.namespace || undefined);
      return (await rest.call({ method: 'POST', path, query, body: object, ...common(options) })) as KubeObject;
    },
    remove: async (ref, { uid, resourceVersion }, options) => {
      // In the body: where there is one, the API server does not look at the query (apiserver/pkg/endpoints/handlers/delete.go).
      const dryRun = options.dryRun ? { dryRun: ['All'] } : {};
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion }, ...dryRun };
      await rest.call({ method: 'DELETE', path: objectPath(ref), body, ...common(options) });
    },
    mayI: (right, options) => review(rest, right, options),
    watch: (resource, resourceVersion, options) => follow(rest, resource, resourceVersion, options),
    ping: async (options) => void (await rest.call({ method: 'GET', path: '/version', ...common(options) })),
    close: () => rest.close(),
  };
}

/** Objects in the next answer, by how large those of the last one were (bytes each). Larger ones may come, so it grows twofold at most. */
export function nextPage(limit: number, bytesEach: number): number {
  return Math.max(1, Math.min(LARGEST_PAGE, limit * 2, Math.floor(PAGE_BYTES / Math.max(1, bytesEach))));
}

interface RawList<T> {
  readonly items: readonly T[];
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

function common(options: CallOptions): { signal: AbortSignal; as: KubernetesIdentity | undefined; deadlineMs: number } {
  return { signal: options.signal, as: options.as, deadlineMs: options.deadlineMs ?? DEADLINE_MS };
}

async function patch(
  rest: Rest,
  ref: ObjectRef,
  ops: readonly PatchOp[],
  options: CallOptions & { readonly dryRun?: boolean },
): Promise<KubeObject> {
  const answer = await rest.call({
    method: 'PATCH',
    path: objectPath(ref),
    query: { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', dryRun: options.dryRun ? 'All' : undefined },
    body: ops,
    contentType: 'application/json-patch+json',
    ...common(options),
  });
  return answer as KubeObject;
}

async function review(rest: Rest, right: Right, options: CallOptions): Promise<{ allowed: boolean; reason: string }> {
  const answer = (await rest.call({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: right } },
    ...common(options),
  })) as { readonly status?: { readonly allowed?: boolean; readonly reason?: string } };
  return { allowed: answer.status?.allowed ?? false, reason: answer.status?.reason ?? '' };
}

async function* follow(
  rest: Rest,
  resource: Resource,
  resourceVersion: string,
  { signal, opened }: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const query = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds: String(WATCH_SECONDS) };
  const call = { method: 'GET', path: collectionPath(resource), query, signal, deadlineMs: DEADLINE_MS } as const;
  for await (const line of rest.lines(call, { idleMs: WATCH_IDLE_MS, opened })) {
    const event = JSON.parse(line) as { type: string; object: KubeObject & { code?: number } };
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        yield { type: event.type, object: event.object };
        break;
      case 'BOOKMARK':
        yield { type: 'BOOKMARK', resourceVersion: event.object.metadata.resourceVersion };
        break;
      default:
        throw failureOf(event.object.code ?? 500, event.object);
    }
  }
}
