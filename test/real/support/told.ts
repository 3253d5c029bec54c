import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../../playground/scenarios/report.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Telling {
  /** The report of one story, when it has been told; rejects when the process ends before. */
  report(name: string): Promise<Report>;
  stop(): Promise<void>;
}

/** Tells stories on real nodes, one after the other on one start, in a process of its own as people start it. */
export function tell(names: readonly string[]): Telling {
  const waiting = new Map(names.map((name) => [name, Promise.withResolvers<Report>()]));
  for (const { promise } of waiting.values()) promise.catch(() => undefined);
  const child: ChildProcess = spawn(process.execPath, ['playground/scenarios/main.ts', ...names, '--real', '--json'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let heard = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    heard = (heard + text).slice(-4_000);
  });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const report = JSON.parse(line) as Report;
    waiting.get(report.scenario)?.resolve(report);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      for (const each of waiting.values()) each.reject(new Error(`The stories ended with ${code}: ${heard}`));
      resolve();
    });
  });
  return {
    report: (name) => waiting.get(name)?.promise ?? Promise.reject(new Error(`${name} is not told.`)),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
