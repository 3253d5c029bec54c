import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_POLICY_BYTES } from '../../../documents/read.ts';
import type { Target } from '../../../domain/target.ts';
import type { Offered } from './config-maps.ts';

/** A name that leads nowhere but to one file: what Kubernetes takes as a name of a namespace or a workload. */
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** `<folder>/<namespace>/<workload>.yaml`, if it is there. Never more than 256 KiB and a byte are read: enough to see that it is too large. */
export async function offeredByFolder(folder: string, { namespace, name }: Target): Promise<readonly Offered[]> {
  if (!NAME.test(namespace) || !NAME.test(name)) return [];
  const path = join(folder, namespace, `${name}.yaml`);
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
  try {
    const buffer = Buffer.alloc(MAX_POLICY_BYTES + 1);
    let size = 0;
    for (let read = -1; read !== 0 && size < buffer.length; size += read) {
      ({ bytesRead: read } = await file.read(buffer, size, buffer.length - size, size));
    }
    return [
      {
        source: `file ${namespace}/${name}.yaml of the policy folder`,
        origin: { kind: 'folder', path },
        text: buffer.toString('utf8', 0, size),
      },
    ];
  } finally {
    await file.close();
  }
}
