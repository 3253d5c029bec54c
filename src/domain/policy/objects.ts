import { POLICY_KINDS } from './policy.ts';

type Raw = Readonly<Record<string, unknown>>;

/** One Kubernetes object of a document, and where it stands in it. */
export interface FoundObject {
  readonly path: readonly (string | number)[];
  readonly value: Raw;
}

/**
 * The objects of one document, as kubectl takes them: the items of a List count one by one. Those of a list that the API server gives have no kind of their
 * own: it is that of the list.
 */
export function objectsIn(value: unknown, path: FoundObject['path'] = []): readonly FoundObject[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const object = value as Raw;
  const { kind, apiVersion, items } = object;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ path, value: object }];
  const inherited = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return (items as readonly unknown[]).flatMap((item, index) =>
    objectsIn(typeof item === 'object' && item !== null && !Array.isArray(item) ? { ...inherited, ...item } : item, [
      ...path,
      'items',
      index,
    ]),
  );
}

/** Whether it is a policy that is decided here. Other groups have a NetworkPolicy of their own (Calico). */
export function isPolicyObject({ value }: FoundObject): boolean {
  const { kind, apiVersion } = value;
  if (kind === 'NetworkPolicy') return /^(networking\.k8s\.io|extensions)\//.test(String(apiVersion));
  return POLICY_KINDS.some((one) => one === kind);
}
