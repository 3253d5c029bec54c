import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { cacheRoot, type Env, fillOnce } from '../cluster/cache.ts';
import { runOrFail } from '../cluster/command.ts';

/** The newest release of each line of Cilium that is maintained, as the Go module proxy has them. */
export const CILIUM_LINES = ['1.18.11', '1.19.6', '1.20.2'] as const;

const Downloaded = z.object({ Dir: z.string() });

/** CRDs under `crds/`, protos under `protos/` (imports relative to that folder), out of that version's Go module; kept in the cache. */
export async function ciliumSources(version: string, env: Env, signal: AbortSignal): Promise<string> {
  const entry = {
    root: cacheRoot(env),
    name: `compatibility-cilium-${version}`,
    files: ['crds/ciliumnodes.yaml', 'protos/flow/flow.proto'],
  };
  const fill = async (staging: string): Promise<void> => {
    // Outside of any module: three versions of one module cannot be pinned in one.
    const cwd = await mkdtemp(join(tmpdir(), 'meshops-go-'));
    try {
      const args = ['mod', 'download', '-json', `github.com/cilium/cilium@v${version}`];
      const command = { program: 'go', args, env: { ...env, GOFLAGS: '', GOWORK: 'off', GO111MODULE: 'on' }, signal, cwd };
      const { Dir } = Downloaded.parse(JSON.parse(await runOrFail(`Cilium ${version}`, 'the Go module proxy', command)));
      await cp(join(Dir, 'pkg/k8s/apis/cilium.io/client/crds/v2'), join(staging, 'crds'), { recursive: true });
      for (const api of ['flow', 'observer', 'relay']) {
        const from = join(Dir, 'api/v1', api);
        for (const name of (await readdir(from)).filter((one) => one.endsWith('.proto'))) {
          const to = join(staging, 'protos', api, name);
          await mkdir(dirname(to), { recursive: true });
          await cp(join(from, name), to);
        }
      }
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  };
  return (await fillOnce(entry, fill, { signal, waiting: () => undefined })).folder;
}
