import { dirname, join, normalize } from 'node:path';

type Raw = Readonly<Record<string, unknown>>;

/** The files that a kustomization takes as patches: parts of objects, and none themselves. */
export function patchFiles(file: string, value: unknown): readonly string[] {
  const object = typeof value === 'object' && value !== null ? (value as Raw) : {};
  if (!/^kustomization\.ya?ml$/.test(file.split('/').at(-1) ?? '') && !String(object['apiVersion']).startsWith('kustomize.config.k8s.io/'))
    return [];
  const listed = ['patches', 'patchesStrategicMerge', 'patchesJson6902'].flatMap((key) =>
    Array.isArray(object[key]) ? (object[key] as unknown[]) : [],
  );
  return listed.flatMap((one) => {
    const path = typeof one === 'string' ? one : (one as Raw | null)?.['path'];
    return typeof path === 'string' && !path.includes('\n') ? [normalize(join(dirname(file), path))] : [];
  });
}

/** A directive of a strategic merge: only patches have one. */
export function hasPatchDirective(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key === '$patch' || key.startsWith('$retainKeys') || hasPatchDirective(inner));
}
