// Finds, builds or installs everything that the real stack runs, and starts nothing: `node playground/cluster/prepare.ts`.
import { findBinaries } from './binaries.ts';
import { reasonOf } from './failure.ts';
import { progressPrinter } from './progress.ts';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort(new Error(`Stopped by ${name}.`)));

findBinaries({
  env: process.env,
  os: process.platform,
  arch: process.arch,
  signal: interrupted.signal,
  progress: progressPrinter(process.stdout),
}).catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
});
