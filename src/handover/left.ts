import { stringify } from 'yaml';
import type { JsonObject } from '../domain/json.ts';
import { type ObjectRef, TOKEN_ANNOTATION } from '../domain/lifecycle/plan.ts';
import { type Completed, movedBy } from '../domain/lifecycle/way-back.ts';
import type { Handed } from './documents.ts';

interface Live {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly labels?: JsonObject; readonly annotations?: JsonObject };
  readonly [field: string]: unknown;
}

/** What a completed operation has left, object by object, with the whole object as it is now. */
export async function leftBy(completed: Completed, read: (ref: ObjectRef) => Promise<Live | undefined>): Promise<readonly Handed[]> {
  return Promise.all(
    movedBy(completed).map(async ({ original, left, isDeleted }): Promise<Handed> => {
      const { object: ref } = original;
      const isNew = original.manifest === null;
      const live = isDeleted ? undefined : await read(ref);
      const before = isNew ? {} : original.fields;
      return { ref, before, after: left, isDeleted, ...(live && { manifest: plainObject(ref, live) }), isNew };
    }),
  );
}

/** Annotations that belong to the cluster, not to Git. */
const NOT_IN_GIT = [TOKEN_ANNOTATION, 'kubectl.kubernetes.io/last-applied-configuration'];

/** An object as people would write it: without what the server and meshops add. */
function plainObject({ apiVersion, kind, name, namespace }: ObjectRef, { metadata, ...live }: Live): JsonObject {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !NOT_IN_GIT.includes(key));
  const { labels } = metadata;
  const kept = Object.fromEntries(Object.entries(live).filter(([key]) => !['apiVersion', 'kind', 'status'].includes(key)));
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      ...(labels && Object.keys(labels).length > 0 && { labels }),
      ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
    },
    ...(kept as JsonObject),
  };
}

/** The objects as one file, for whoever has to write them into a template. */
export function objectsFile(handed: readonly Handed[]): string {
  return handed.flatMap(({ manifest }) => (manifest ? [stringify(manifest, { lineWidth: 0 })] : [])).join('---\n');
}
