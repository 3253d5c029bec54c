/** xDS through files: each resource list is written beside its place and renamed into it, so Envoy never reads half of one. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface XdsFiles {
  /**
   * Writes a resource list when it differs from the last one written; returns its version (counts up from 1), the same as before when
   * nothing changed.
   */
  put(kind: string, file: string, resources: readonly object[]): number;
}

/** Files under `folder`, one folder per kind, since Envoy watches folders. */
export function createXdsFiles(folder: string): XdsFiles {
  const written = new Map<string, { readonly content: string; readonly version: number }>();
  return {
    put: (kind, file, resources) => {
      const path = join(folder, kind, file);
      const content = JSON.stringify(resources);
      const before = written.get(path);
      if (before?.content === content) return before.version;
      const version = (before?.version ?? 0) + 1;
      mkdirSync(join(folder, kind), { recursive: true });
      const beside = join(folder, `${kind}-${file}.new`);
      writeFileSync(beside, JSON.stringify({ version_info: String(version), resources }));
      renameSync(beside, path);
      written.set(path, { content, version });
      return version;
    },
  };
}
