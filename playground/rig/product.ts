import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Child, Warden } from '../cluster/warden.ts';

/** The product's own processes, started as an operator would start them: `meshops run`, or `bot` and `worker` apart. */
export type Role = 'run' | 'bot' | 'worker';

export interface ProductOptions {
  readonly warden: Warden;
  /** Run folder: logs go there, one file for each process. */
  readonly dir: string;
  readonly configFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** Port of /readyz, as the configuration file has it. */
  readonly port: number;
  readonly name: string;
  readonly signal: AbortSignal;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const READY_WITHIN_MS = 60_000;

/** Starts one process of the product and resolves when its /readyz says yes. */
export function startProduct(role: Role, options: ProductOptions): Promise<Child> {
  const { warden, dir, configFile, env, port, name, signal } = options;
  return warden.start({
    name,
    command: process.execPath,
    args: [MAIN, role, '--config', configFile],
    env: { PATH: process.env['PATH'] ?? '', HOME: dir, ...env },
    logFile: join(dir, `${name}.log`),
    ready: async (asked) => {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: asked });
        return answer.ok;
      } catch {
        // Nothing listens yet; the warden sees it when the process has ended.
        return false;
      }
    },
    readyWithinMs: READY_WITHIN_MS,
    signal,
  });
}
