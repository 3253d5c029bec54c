// Builds or installs everything that real nodes run, and starts nothing: `node playground/real/main.ts`.
import { reasonOf } from '../cluster/failure.ts';
import { progressPrinter } from '../cluster/progress.ts';
import { prepareReal } from './prepare.ts';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort(new Error(`Stopped by ${name}.`)));

prepareReal({
  env: process.env,
  os: process.platform,
  arch: process.arch,
  signal: interrupted.signal,
  progress: progressPrinter(process.stdout),
}).catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
});
