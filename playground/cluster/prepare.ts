// Finds, builds or installs everything that the real stack runs, and starts nothing: `node playground/cluster/prepare.ts`.
// With `--clients` also what the tests of an installation need: helm, kubectl, the Prometheus operator's CRDs.
import { findBinaries, findClients } from './binaries.ts';
import { reasonOf } from './failure.ts';
import { progressPrinter } from './progress.ts';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort(new Error(`Stopped by ${name}.`)));

const search = {
  env: process.env,
  os: process.platform,
  arch: process.arch,
  signal: interrupted.signal,
  progress: progressPrinter(process.stdout),
};

async function main(): Promise<void> {
  await findBinaries(search);
  // Afterwards: a Go build keeps every core busy.
  if (process.argv.includes('--clients')) await findClients(search);
}

main().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
});
