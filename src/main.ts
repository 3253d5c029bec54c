#!/usr/bin/env node
// The command line. The only place that reads the environment, listens to signals and ends the process.
import { createProgram } from './cli/program.ts';
import { type Environment, readEnvironment } from './config/environment.ts';

/** The first signal asks everything to stop in order; the second ends at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const heard = (): void => {
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort();
  };
  process.on('SIGTERM', heard);
  process.on('SIGINT', heard);
  return stopping.signal;
}

/** Runs one command and ends the process with its exit code. What it throws is one sentence on stderr, without a stack. */
async function run(work: (environment: Environment, signal: AbortSignal) => Promise<number>): Promise<void> {
  const signal = stopSignal();
  let code: number;
  try {
    code = await work(readEnvironment(process.env), signal);
  } catch (error) {
    process.stderr.write(`meshops: ${error instanceof Error ? error.message : String(error)}\n`);
    code = 1;
  }
  // On a pipe that is full what was printed still waits in this process; ending it would lose whole lines.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  // Connections of Temporal's core may linger; everything of ours is closed by now.
  process.exit(code);
}

await createProgram(run).parseAsync();
