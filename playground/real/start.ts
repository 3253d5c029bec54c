import { findBinaries } from '../cluster/binaries.ts';
import type { Env } from '../cluster/cache.ts';
import { StackFailure } from '../cluster/failure.ts';
import type { ReportProgress } from '../cluster/progress.ts';
import { whyNotReal } from './able.ts';
import { type NodeCount, realNodes } from './addresses.ts';
import { enter } from './enter.ts';
import { layLand } from './land.ts';
import { prepareReal, type RealPrograms } from './prepare.ts';

function search(env: Env, progress: ReportProgress, signal: AbortSignal) {
  return {
    env,
    os: process.platform,
    arch: process.arch,
    signal,
    progress,
  };
}

/**
 * Runs this very program once more in a world of real nodes, after everything that needs the network was built here; resolves with its exit code.
 * With `pagePort` what is inside finds a socket of the machine's loopback that listens there (enter.ts), by which its page can be reached.
 * @throws StackFailure with one sentence where this machine cannot
 */
export async function enterReal(env: Env, progress: ReportProgress, signal: AbortSignal, pagePort?: number): Promise<number> {
  const why = whyNotReal(env);
  if (why !== undefined) throw new StackFailure('unsupported-platform', `${why}. Nothing was started.`);
  await findBinaries(search(env, progress, signal));
  await prepareReal(search(env, progress, signal));
  return enter([process.execPath, ...process.execArgv, ...process.argv.slice(1)], env, pagePort);
}

/** Inside: lays the ground for real nodes and says where their programs are. */
export async function layReal(nodes: NodeCount, env: Env, progress: ReportProgress, signal: AbortSignal): Promise<RealPrograms> {
  await layLand(realNodes(nodes), env, signal);
  return prepareReal(search(env, progress, signal));
}
