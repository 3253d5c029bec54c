import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Folder of the chart. */
export const CHART = fileURLToPath(new URL('../../charts/meshops', import.meta.url));

/** What a rendering is made of. */
export interface Rendering {
  /** Path of helm. */
  readonly helm: string;
  /** Files of values, the later ones over the earlier. */
  readonly values: readonly string[];
  /** Default: `meshops`, in a namespace of that name. */
  readonly release?: string;
  readonly namespace?: string;
  /** The Kubernetes that it is for. */
  readonly kubeVersion: string;
}

const run = promisify(execFile);

/** Paths of the example values, by name. */
export async function examples(): Promise<ReadonlyMap<string, string>> {
  const folder = join(CHART, 'examples');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).toSorted();
  return new Map(names.map((name) => [name.replace(/\.yaml$/, ''), join(folder, name)]));
}

const OWN_PLACE = ['HELM_CACHE_HOME', 'HELM_CONFIG_HOME', 'HELM_DATA_HOME'] as const;

/** Helm with nothing of the person's own settings. Rejects with what helm said. `home`: where what it asked a cluster is remembered. */
export async function helmOf(helm: string, args: readonly string[], home = '/nonexistent'): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, ...Object.fromEntries(OWN_PLACE.map((name) => [name, '/nonexistent'])) };
  try {
    return (await run(helm, [...args], { env, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const said =
      error instanceof Error && 'stderr' in error && 'stdout' in error ? `${String(error.stdout)}${String(error.stderr)}` : String(error);
    throw new Error(said.trim(), { cause: error });
  }
}

/** `helm template`: all documents as text. */
export function renderChart({ helm, values, release = 'meshops', namespace = 'meshops', kubeVersion }: Rendering): Promise<string> {
  const files = values.flatMap((file) => ['--values', file]);
  return helmOf(helm, ['template', release, CHART, '--namespace', namespace, '--kube-version', kubeVersion, ...files]);
}

/** `helm lint` with the same values. Rejects with the findings. */
export function lintChart({ helm, values, namespace = 'meshops', kubeVersion }: Rendering): Promise<string> {
  const files = values.flatMap((file) => ['--values', file]);
  return helmOf(helm, ['lint', CHART, '--strict', '--namespace', namespace, '--kube-version', kubeVersion, ...files]);
}
