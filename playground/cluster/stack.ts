import { mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Binaries, findBinaries } from './binaries.ts';
import type { Env } from './cache.ts';
import { type Ground, type Kube, startKube } from './kube.ts';
import { loadCrds } from './load.ts';
import { openPorts, type Ports } from './ports.ts';
import { type ReportProgress, step } from './progress.ts';
import { type Prometheus, type PrometheusOptions, startPrometheus } from './prometheus.ts';
import { makeRunDir, sweepRuns } from './rundir.ts';
import { startTemporal, type Temporal, type TemporalOptions } from './temporal.ts';
import { openWarden, type Warden } from './warden.ts';

export type StackOptions = {
  /** Run folder (data, logs, kubeconfigs); kept after stop(). Default: one below the cache that is removed by stop(). */
  readonly dir?: string;
  /** Ends the start. Once started, the stack ends by stop() or with this process. */
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Default: this process's environment. */
  readonly env?: Env;
  readonly kubePort?: number;
  /** Where the API server listens; default loopback. */
  readonly kubeAddress?: string;
  readonly temporal?: TemporalOptions;
  readonly prometheus?: PrometheusOptions;
  /** Uniform in [0, 1); chooses ports. */
  readonly random?: () => number;
};

/** The real parts of the playground, running on loopback ports. */
export type Stack = {
  readonly dir: string;
  readonly kube: Kube;
  readonly temporal: Temporal;
  readonly prometheus: Prometheus;
  readonly binaries: Binaries;
  /** For more processes (Envoy) that must end with the stack. */
  readonly warden: Warden;
  /** For more ports that do not collide with the stack's. */
  readonly ports: Ports;
  /** Ends every process; when it resolves, none is left. May be called again. */
  stop(): Promise<void>;
};

const API_GRACE_MS = 1000;

type Parts = Pick<Stack, 'kube' | 'temporal' | 'prometheus'>;

async function startKubeWithCrds(ground: Ground, options: StackOptions): Promise<Kube> {
  const kube = await step(options.progress, 'etcd and kube-apiserver', async () => {
    const started = await startKube(ground, options.kubePort, options.kubeAddress);
    return { value: started, detail: `at ${started.url}` };
  });
  await step(options.progress, 'CRDs', async () => {
    const count = await loadCrds(kube.api, [ground.binaries.ciliumCrds, ground.binaries.gatewayCrds], ground.signal);
    return { value: undefined, detail: `${count} objects loaded` };
  });
  return kube;
}

async function startParts(ground: Ground, options: StackOptions): Promise<Parts> {
  const failed = new AbortController();
  const together = { ...ground, signal: AbortSignal.any([ground.signal, failed.signal]) };
  const parts = [
    startKubeWithCrds(together, options),
    step(options.progress, 'Temporal', async () => {
      const started = await startTemporal(together, options.temporal);
      return { value: started, detail: `at ${started.address}` };
    }),
    step(options.progress, 'Prometheus', async () => {
      const started = await startPrometheus(together, options.prometheus);
      return { value: started, detail: `at ${started.url}` };
    }),
  ] as const;
  try {
    const [kube, temporal, prometheus] = await Promise.all(parts);
    return { kube, temporal, prometheus };
  } catch (error) {
    // The others must not wait in vain.
    failed.abort(error);
    await Promise.allSettled(parts);
    throw error;
  }
}

async function prepareDir(options: StackOptions, env: Env): Promise<string> {
  const ended = await sweepRuns(env, options.signal);
  if (ended > 0) options.progress({ kind: 'note', step: 'cleaned up', detail: `${ended} processes of an earlier start`, ms: 0 });
  if (options.dir === undefined) return makeRunDir(env);
  mkdirSync(options.dir, { recursive: true });
  return resolve(options.dir);
}

/**
 * Finds or makes every binary, then starts etcd, kube-apiserver with the CRDs, Temporal and Prometheus, each ready when this resolves.
 * Nothing is left running when it rejects.
 * @throws StackFailure with one sentence for the person; the signal's reason when aborted
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const env = options.env ?? process.env;
  const { signal, progress } = options;
  const binaries = await findBinaries({ env, os: process.platform, arch: process.arch, signal, progress });
  const dir = await prepareDir(options, env);
  const warden = await openWarden({ dir, env, signal });
  const ports = openPorts(options.random ?? Math.random);
  try {
    const parts = await startParts({ dir, binaries, warden, ports, signal }, options);
    const stop = async (): Promise<void> => {
      // Before etcd: without it the API server would spend the whole grace waiting for its answers.
      await parts.kube.apiserver.stop(API_GRACE_MS);
      await warden.stop();
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    };
    return { dir, ...parts, binaries, warden, ports, stop };
  } catch (error) {
    await warden.stop();
    // After a failure the folder stays until the next start: its logs say why.
    if (signal.aborted && options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}
