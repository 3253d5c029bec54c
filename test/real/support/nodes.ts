import { readdirSync } from 'node:fs';
import { findBinaries } from '../../../playground/cluster/binaries.ts';
import { startKube } from '../../../playground/cluster/kube.ts';
import { loadCrds } from '../../../playground/cluster/load.ts';
import { openPorts } from '../../../playground/cluster/ports.ts';
import { makeRunDir } from '../../../playground/cluster/rundir.ts';
import type { Stack } from '../../../playground/cluster/stack.ts';
import { openWarden } from '../../../playground/cluster/warden.ts';
import { CONTROL_ADDRESS } from '../../../playground/real/addresses.ts';
import { startRealCilium } from '../../../playground/real/cilium.ts';
import { isInside } from '../../../playground/real/enter.ts';
import { enterReal, layReal } from '../../../playground/real/start.ts';

/** Real nodes with the demo's pods and nothing else: says in one line what is there, and stays until it is told to go. */
const { env } = process;
const asked = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => asked.abort());
const { signal } = asked;
const progress = () => undefined;

async function inside(): Promise<void> {
  const programs = await layReal(2, env, progress, signal);
  const binaries = await findBinaries({ env, os: process.platform, arch: process.arch, signal, progress });
  const dir = makeRunDir(env);
  const warden = await openWarden({ dir, env, signal });
  const ground = { dir, binaries, warden, ports: openPorts(Math.random), signal };
  const kube = await startKube(ground, undefined, CONTROL_ADDRESS);
  await loadCrds(kube.api, [binaries.ciliumCrds, binaries.gatewayCrds], signal);
  const prometheus = { scrape: () => undefined } as unknown as Stack['prometheus'];
  const stack = { ...ground, kube, prometheus } as unknown as Stack;
  const cilium = await startRealCilium({ stack, programs, nodes: 2, seed: 1, identityMaxJitter: '1s', signal, progress });
  process.stdout.write(`${JSON.stringify({ pods: cilium.pods().length, pins: pins() })}\n`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await cilium.stop();
  await kube.apiserver.stop(1_000);
  await warden.stop();
}

/** Files in the BPF file systems of this world. */
function pins(): number {
  const roots = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return Math.max(0, ...roots.map((pid) => count(`/proc/${pid}/root/sys/fs/bpf`)));
}

function count(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true }).length;
  } catch {
    // Not ours to look into, or gone.
    return 0;
  }
}

if (isInside(env)) {
  await inside();
  process.exit(0);
} else process.exitCode = await enterReal(env, progress, signal);
