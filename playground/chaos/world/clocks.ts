import type { VirtualTime } from '../virtual-time.ts';

/** How far clocks are ahead of the true time (ms); behind where negative. Left out: they are right. */
export interface ClockOptions {
  /** Temporal's server: the time of workflows. */
  readonly temporal?: number;
  /** The nodes: the times of flows and of samples. */
  readonly nodes?: number;
  readonly bot?: number;
  /** The worker processes, in the order of their coming up; the last one holds for those that come later. */
  readonly workers?: readonly number[];
}

/** The clocks of the world's parts. The audit's times are those of the process that writes. */
export class Clocks {
  readonly #time: VirtualTime;
  readonly #options: ClockOptions;

  constructor(time: VirtualTime, options: ClockOptions = {}) {
    this.#time = time;
    this.#options = options;
  }

  temporal = (): number => this.#time.now + (this.#options.temporal ?? 0);
  nodes = (): number => this.#time.now + this.nodesAhead;
  bot = (): number => this.#time.now + (this.#options.bot ?? 0);
  /** Of the worker that came up as the nth, from 0. */
  worker = (nth: number): number => this.#time.now + (this.#options.workers?.at(Math.min(nth, this.#options.workers.length - 1)) ?? 0);

  get nodesAhead(): number {
    return this.#options.nodes ?? 0;
  }

  /** The largest difference between two of them (ms). */
  get apart(): number {
    const { temporal = 0, nodes = 0, bot = 0, workers = [] } = this.#options;
    const all = [0, temporal, nodes, bot, ...workers];
    return Math.max(...all) - Math.min(...all);
  }

  /** Between the nodes and a worker: what evidence is late by (ms). */
  get lag(): number {
    return Math.max(0, ...(this.#options.workers ?? [0]).map((ahead) => Math.abs(ahead - this.nodesAhead)));
  }
}
