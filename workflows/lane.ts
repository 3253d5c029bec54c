import { CancellationScope, log } from '@temporalio/workflow';

/** Does background jobs one after the other, whatever is cancelled meanwhile. A job that fails is logged; the next one runs. */
export class Lane {
  readonly #name: string;
  readonly #jobs: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  push(job: () => Promise<void>): void {
    this.#jobs.push(job);
    this.#running ??= CancellationScope.nonCancellable(() => this.#run());
  }

  /** Resolves when no job is left. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // One turn later, so that jobs pushed in the same breath can be merged by their makers.
    await Promise.resolve();
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      try {
        await job();
      } catch (error) {
        log.warn(`${this.#name}: a job was given up`, { error: String(error) });
      }
    }
    this.#running = undefined;
  }
}
