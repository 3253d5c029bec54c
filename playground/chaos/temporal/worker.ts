import type { Process } from '../virtual-time.ts';

/** One worker process of the model: what it can do, and whether Temporal hears of it. */
export interface WorkerProcess extends Process {
  /** False: it lives, reaches everything else, and Temporal neither hears it nor is heard. */
  connected: boolean;
  /** How long a workflow task takes here (ms). */
  taskMs: number;
  readonly activities: Readonly<Record<string, (input: never) => Promise<unknown>>>;
}

/** Is it there for Temporal? */
export function polls({ alive, connected }: WorkerProcess): boolean {
  return alive && connected;
}
