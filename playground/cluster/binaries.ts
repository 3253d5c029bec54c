import { join } from 'node:path';
import { cacheRoot, type Env, fillOnce } from './cache.ts';
import { type Found, lookUp } from './find.ts';
import { supportedPlatform } from './platform.ts';
import { type ReportProgress, step } from './progress.ts';
import { helm, kubectl } from './recipes/clients.ts';
import { crds, operatorCrds } from './recipes/crds.ts';
import { envoy } from './recipes/envoy.ts';
import { etcd, kubeApiserver, temporal } from './recipes/go.ts';
import { prometheus } from './recipes/prometheus.ts';
import type { Recipe } from './recipes/recipe.ts';
import type { BinaryName } from './versions.ts';

/** Absolute paths of everything the playground runs, and of what it reads out of Go modules. */
export type Binaries = {
  readonly 'kube-apiserver': string;
  readonly etcd: string;
  readonly temporal: string;
  readonly envoy: string;
  readonly prometheus: string;
  readonly promtool: string;
  /** A browser for tests of pages; only looked for, never installed. */
  readonly chromium: string | undefined;
  readonly ciliumCrds: string;
  readonly gatewayCrds: string;
  /** Cilium's protos; their imports (`flow/flow.proto`) are relative to this folder. */
  readonly ciliumProtos: string;
};

/** What the search may use. `os` and `arch` as Node names them. */
export type Search = {
  readonly env: Env;
  readonly os: string;
  readonly arch: string;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
};

const FROM = { environment: 'the environment', PATH: 'PATH', envtest: 'the folder of envtest' } as const;

const foundText = (found: Found): string => `${found.version ?? ''} from ${FROM[found.from]} (${found.path})`.trim();

/** Fills or reuses a folder of the cache, as one step of progress. */
export function fromCache(recipe: Recipe, search: Search): Promise<string> {
  return step(search.progress, recipe.title, async (say) => {
    const platform = supportedPlatform(search.os, search.arch);
    const kitchen = { env: search.env, platform, signal: search.signal, say };
    const entry = { root: cacheRoot(search.env), name: recipe.entry, files: recipe.files };
    const options = { signal: search.signal, waiting: () => say('waiting for another start that makes it') };
    const { folder, filled } = await fillOnce(entry, (staging) => recipe.fill(staging, kitchen), options);
    return { value: folder, detail: filled ? recipe.verb : 'from the cache' };
  });
}

async function find(name: BinaryName, search: Search): Promise<string | undefined> {
  const { found, passedOver } = await lookUp(name, search.env, search.signal);
  const note = found === undefined ? passedOver : foundText(found);
  if (note !== undefined) search.progress({ kind: 'note', step: name, detail: note, ms: 0 });
  return found?.path;
}

async function findOrMake(name: BinaryName, recipe: Recipe, search: Search): Promise<string> {
  return (await find(name, search)) ?? join(await fromCache(recipe, search), name);
}

/** The Go builds one after the other: each alone keeps every core busy. */
async function goBuilt(search: Search): Promise<Pick<Binaries, 'kube-apiserver' | 'etcd' | 'temporal'>> {
  return {
    'kube-apiserver': await findOrMake('kube-apiserver', kubeApiserver, search),
    etcd: await findOrMake('etcd', etcd, search),
    temporal: await findOrMake('temporal', temporal, search),
  };
}

/** From one place, so that the rule checker and the server agree. */
async function prometheusPair(search: Search): Promise<Pick<Binaries, 'prometheus' | 'promtool'>> {
  const server = await find('prometheus', search);
  const tool = await find('promtool', search);
  if (server !== undefined && tool !== undefined) return { prometheus: server, promtool: tool };
  const folder = await fromCache(prometheus, search);
  return { prometheus: server ?? join(folder, 'prometheus'), promtool: tool ?? join(folder, 'promtool') };
}

/**
 * Finds or makes every binary: environment, PATH, cache, then built or installed by package name without root.
 * @throws StackFailure with one sentence about what is missing; the first failure stops the others
 */
export async function findBinaries(search: Search): Promise<Binaries> {
  supportedPlatform(search.os, search.arch);
  const failed = new AbortController();
  const together = { ...search, signal: AbortSignal.any([search.signal, failed.signal]) };
  const guard = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const parts = [
    guard(goBuilt(together)),
    guard(findOrMake('envoy', envoy, together)),
    guard(prometheusPair(together)),
    guard(fromCache(crds, together)),
    guard(find('chromium', together)),
  ] as const;
  await Promise.allSettled(parts);
  const [built, envoyPath, pair, crdFolder, chromium] = await Promise.all(parts).catch((error: unknown) => {
    throw failed.signal.aborted ? failed.signal.reason : error;
  });
  return {
    ...built,
    ...pair,
    envoy: envoyPath,
    chromium,
    ciliumCrds: join(crdFolder, 'cilium'),
    gatewayCrds: join(crdFolder, 'gateway-api'),
    ciliumProtos: join(crdFolder, 'protos'),
  };
}

/** What the chart is tried with, and an installation is made with; the playground itself needs none of it. */
export type Clients = {
  readonly helm: string;
  readonly kubectl: string;
  /** CRDs of the Prometheus operator. */
  readonly operatorCrds: string;
};

/** Finds or makes them. Throws as `findBinaries` does. */
export async function findClients(search: Search): Promise<Clients> {
  supportedPlatform(search.os, search.arch);
  return {
    helm: await findOrMake('helm', helm, search),
    kubectl: await findOrMake('kubectl', kubectl, search),
    operatorCrds: await fromCache(operatorCrds, search),
  };
}
