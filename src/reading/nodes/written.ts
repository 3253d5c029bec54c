// Who wrote fields of an object, and when, by what the API server remembers.
import type { KubeObject, ManagedFields } from '../../clients/kubernetes/objects.ts';

export interface Written {
  /** The last write of somebody who owns one of the fields, epoch ms: a field itself changed then or before. */
  readonly at?: number;
  /** The owner of each field. */
  readonly by: Readonly<Record<string, string>>;
}

/** Owners of `fields` under a path such as `data` or `metadata.annotations`. */
export function writtenBy({ metadata }: Pick<KubeObject, 'metadata'>, path: string, fields: readonly string[]): Written {
  const by: Record<string, string> = {};
  const times: number[] = [];
  for (const entry of metadata.managedFields ?? []) {
    const owned = under(entry, path);
    if (!owned) continue;
    const own = fields.filter((field) => Object.hasOwn(owned, `f:${field}`));
    for (const field of own) by[field] = entry.manager ?? 'unknown';
    const at = Date.parse(entry.time ?? '');
    if (own.length > 0 && !Number.isNaN(at)) times.push(at);
  }
  return { by, ...(times.length > 0 && { at: Math.max(...times) }) };
}

/** The last write of anything under a path; without one, of anything but the status. Epoch ms. */
export function lastWrite({ metadata }: Pick<KubeObject, 'metadata'>, path?: string): number | undefined {
  const times = (metadata.managedFields ?? [])
    .filter((entry) => entry.subresource === undefined && (path === undefined || under(entry, path) !== undefined))
    .map(({ time = '' }) => Date.parse(time))
    .filter((at) => !Number.isNaN(at));
  return times.length === 0 ? undefined : Math.max(...times);
}

function under({ fieldsV1 }: ManagedFields, path: string): object | undefined {
  let at: unknown = fieldsV1;
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[`f:${name}`];
  }
  return typeof at === 'object' && at !== null ? at : undefined;
}
