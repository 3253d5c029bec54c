import { failureOf as failureOfStatus } from '../../../src/clients/kubernetes/failure.ts';
import {
  collectionPath,
  type KubeObject,
  type ManagedFields,
  objectPath,
  type PatchOp,
  type Resource,
} from '../../../src/clients/kubernetes/objects.ts';
import { canonicalJson, type Json, type JsonObject } from '../../../src/domain/json.ts';
import type { ObjectRef } from '../../../src/domain/lifecycle/plan.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { patched } from './json-patch.ts';

/** Who writes: meshops itself, meshops as a person, another hand, or a controller. */
export interface Writer {
  readonly kind: 'bot' | 'person' | 'foreign' | 'controller';
  readonly name: string;
}

/** One change that was made. */
export interface Change {
  readonly at: number;
  readonly by: Writer;
  readonly ref: ObjectRef;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

export type Event = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject };

const MOST_EVENTS = 500;

interface Stored {
  readonly object: KubeObject;
  readonly path: string;
}

/** The objects of one cluster with versions, generations and owners of fields, as an apiserver keeps them. */
export class ApiServer {
  readonly #time: VirtualTime;
  readonly #objects = new Map<string, Stored>();
  readonly #listeners = new Map<string, Set<(event: Event) => void>>();
  /** The latest events of each resource: a watch that broke goes on after what it saw last. */
  readonly #events = new Map<string, Event[]>();
  readonly changes: Change[] = [];
  /** Told of each change when it is made. */
  changed: (change: Change) => void = () => undefined;
  #version = 100;
  #uids = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  get version(): string {
    return String(this.#version);
  }

  read(ref: ObjectRef): KubeObject | undefined {
    return this.#objects.get(objectPath(ref))?.object;
  }

  list(resource: Resource, namespace?: string): readonly KubeObject[] {
    const path = collectionPath(resource);
    const found = [...this.#objects.values()].filter((each) => each.path === path).map(({ object }) => object);
    return namespace === undefined ? found : found.filter(({ metadata }) => metadata.namespace === namespace);
  }

  create(ref: ObjectRef, manifest: JsonObject, by: Writer, dryRun = false): KubeObject {
    if (this.read(ref)) throw failureOfStatus(409, status('AlreadyExists', `${ref.kind} "${ref.name}" already exists`));
    const given = manifest['metadata'] as JsonObject | undefined;
    const metadata = {
      ...given,
      name: ref.name,
      ...(ref.namespace && { namespace: ref.namespace }),
      uid: `uid-${++this.#uids}`,
      resourceVersion: this.#next(dryRun),
      generation: 1,
    };
    const object = owned(
      undefined,
      { ...structuredClone(manifest), apiVersion: ref.apiVersion, kind: ref.kind, metadata } as never,
      by,
      this.#time.now,
    );
    if (!dryRun) this.#store(ref, undefined, object, by);
    return object;
  }

  /** A JSON patch; all of it or nothing. */
  patch(ref: ObjectRef, ops: readonly PatchOp[], by: Writer, dryRun = false): KubeObject {
    const before = this.read(ref);
    if (!before) throw failureOfStatus(404, status('NotFound', `${ref.kind} "${ref.name}" not found`));
    const result = patched(before, ops) as KubeObject | undefined;
    if (!result) throw failureOfStatus(422, status('Invalid', 'the server rejected our request due to an error in our request'));
    return this.#replace(ref, before, result, by, dryRun);
  }

  /** A change by a function: how other hands and controllers write. */
  edit(ref: ObjectRef, by: Writer, change: (object: KubeObject) => KubeObject): KubeObject | undefined {
    const before = this.read(ref);
    return before && this.#replace(ref, before, change(structuredClone(before)), by, false);
  }

  remove(ref: ObjectRef, by: Writer, version?: { readonly uid: string; readonly resourceVersion: string }, dryRun = false): void {
    const before = this.read(ref);
    if (!before) throw failureOfStatus(404, status('NotFound', `${ref.kind} "${ref.name}" not found`));
    if (version && (before.metadata.uid !== version.uid || before.metadata.resourceVersion !== version.resourceVersion))
      throw failureOfStatus(409, status('Conflict', 'the object has been modified'));
    if (dryRun) return;
    this.#objects.delete(objectPath(ref));
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: this.#next(false) } };
    this.#tell(ref, { type: 'DELETED', object });
    this.#record({ at: this.#time.now, by, ref, before, after: undefined });
  }

  /** What has happened after this version; undefined when that is too long ago. */
  since(resource: Resource, version: string): readonly Event[] | undefined {
    const events = this.#events.get(collectionPath(resource)) ?? [];
    const from = Number(version);
    const [oldest] = events;
    if (events.length >= MOST_EVENTS && oldest && Number(oldest.object.metadata.resourceVersion) > from) return undefined;
    return events.filter(({ object }) => Number(object.metadata.resourceVersion) > from);
  }

  listen(resource: Resource, listener: (event: Event) => void): () => void {
    const path = collectionPath(resource);
    const set = this.#listeners.get(path) ?? new Set();
    this.#listeners.set(path, set.add(listener));
    return () => void set.delete(listener);
  }

  #replace(ref: ObjectRef, before: KubeObject, wanted: KubeObject, by: Writer, dryRun: boolean): KubeObject {
    if (canonicalJson(wanted as never) === canonicalJson(before as never)) return before;
    const generation = (before.metadata.generation ?? 1) + (specOf(wanted) === specOf(before) ? 0 : 1);
    const metadata = { ...wanted.metadata, uid: before.metadata.uid, generation, resourceVersion: this.#next(dryRun) };
    const after = owned(before, { ...wanted, metadata }, by, this.#time.now);
    if (!dryRun) this.#store(ref, before, after, by);
    return after;
  }

  #next(dryRun: boolean): string {
    return String(dryRun ? this.#version : ++this.#version);
  }

  #store(ref: ObjectRef, before: KubeObject | undefined, after: KubeObject, by: Writer): void {
    this.#objects.set(objectPath(ref), { object: after, path: collectionPath(ref) });
    this.#tell(ref, { type: before ? 'MODIFIED' : 'ADDED', object: after });
    this.#record({ at: this.#time.now, by, ref, before, after });
  }

  #record(change: Change): void {
    if (change.by.kind !== 'controller') {
      this.changes.push(change);
      this.#time.wake();
    }
    this.changed(change);
  }

  #tell(ref: ObjectRef, event: Event): void {
    const path = collectionPath(ref);
    const events = this.#events.get(path) ?? [];
    this.#events.set(path, events);
    events.push(event);
    if (events.length > MOST_EVENTS) events.shift();
    for (const listener of this.#listeners.get(path) ?? []) listener(event);
  }
}

function status(reason: string, message: string): object {
  return { kind: 'Status', reason, message };
}

function specOf(object: KubeObject): string {
  const { metadata: _metadata, status: _status, apiVersion: _apiVersion, kind: _kind, ...rest } = object;
  return canonicalJson(rest as JsonObject);
}

/** Who owns what: by member of spec, label and annotation, which is as deep as the product asks. */
function owned(before: KubeObject | undefined, after: KubeObject, by: Writer, now: number): KubeObject {
  if (by.kind === 'controller') return after;
  const manager = by.kind === 'foreign' ? by.name : 'meshops';
  const parts = partsOf(after);
  const was = before ? partsOf(before) : {};
  const mine = Object.keys(parts).filter((key) => parts[key] !== was[key]);
  if (mine.length === 0) return after;
  const time = new Date(now).toISOString();
  const others = (before?.metadata.managedFields ?? []).filter((entry) => entry.manager !== manager);
  const own = { manager, operation: 'Update', time, fieldsV1: fieldsOf(mine) } satisfies ManagedFields;
  return { ...after, metadata: { ...after.metadata, managedFields: [...others, own] } };
}

function partsOf(object: KubeObject): Readonly<Record<string, string>> {
  const parts: Record<string, string> = {};
  for (const [key, value] of Object.entries(object.spec ?? {})) parts[`spec/${key}`] = canonicalJson(value as Json);
  for (const [key, value] of Object.entries(object.metadata.annotations ?? {})) parts[`metadata/annotations/${key}`] = value;
  for (const [key, value] of Object.entries(object.metadata.labels ?? {})) parts[`metadata/labels/${key}`] = value;
  return parts;
}

function fieldsOf(parts: readonly string[]): JsonObject {
  const fields: Record<string, Record<string, Json>> = {};
  for (const part of parts) {
    const [root = '', second = '', ...rest] = part.split('/');
    const own = (fields[`f:${root}`] ??= {});
    if (root === 'spec') own[`f:${second}`] = {};
    else own[`f:${second}`] = { ...((own[`f:${second}`] ?? {}) as JsonObject), [`f:${rest.join('/')}`]: {} };
  }
  return fields;
}
