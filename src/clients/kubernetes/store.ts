import type { KubeObject } from './objects.ts';

/** How objects are grouped: a route under its own name, an EndpointSlice under its Service. */
type KeyOf = (object: KubeObject) => string | undefined;

export const byName: KeyOf = (object) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
/** EndpointSlices belong to the Service that their label names. */
export const byService: KeyOf = (object) => {
  const service = object.metadata.labels?.['kubernetes.io/service-name'];
  return service === undefined ? undefined : `${object.metadata.namespace ?? ''}/${service}`;
};

/** The key under which all objects of a resource are told. */
export const EVERYTHING = '*';

/** The objects of one resource, grouped by key. */
export class ObjectStore {
  readonly #keyOf: KeyOf;
  #groups = new Map<string, Map<string, KubeObject>>();

  constructor(keyOf: KeyOf) {
    this.#keyOf = keyOf;
  }

  under(key: string): readonly KubeObject[] {
    if (key === EVERYTHING) return [...this.#groups.values()].flatMap((group) => [...group.values()]);
    return [...(this.#groups.get(key)?.values() ?? [])];
  }

  /** Takes a fresh list; returns every key that has or had objects. */
  replace(items: readonly KubeObject[]): Iterable<string> {
    const before = [...this.#groups.keys()];
    this.#groups = new Map();
    for (const item of items) this.put('ADDED', item);
    return [...before, ...this.#groups.keys()];
  }

  put(type: string, object: KubeObject): Iterable<string> {
    const key = this.#keyOf(object);
    if (key === undefined) return [];
    const group = this.#groups.get(key) ?? new Map<string, KubeObject>();
    const name = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    if (type === 'DELETED') group.delete(name);
    else group.set(name, object);
    if (group.size > 0) this.#groups.set(key, group);
    else this.#groups.delete(key);
    return [key];
  }
}
