import type { WorkerProcess } from './temporal/worker.ts';
import type { Truth } from './truth.ts';
import type { Mode } from './world/faults.ts';
import type { World } from './world/world.ts';

/** What happens to the processes of the worker. */
export class WorkerFaults {
  readonly #world: World;
  readonly #truth: Truth;
  #deaf: WorkerProcess | undefined;

  constructor(world: World, truth: Truth) {
    this.#world = world;
    this.#truth = truth;
  }

  /** One is killed; another comes up after some time (ms). */
  kill(backAfter: number): void {
    const { temporal, time, product } = this.#world;
    const [worker] = temporal.workers;
    if (worker) temporal.kill(worker);
    this.#truth.workerDied();
    time.after(backAfter, () => {
      if (this.#world.faults.mode('worker') === undefined || temporal.workers.length > 0) temporal.join(product.newWorker('worker'));
    });
  }

  break(mode: Mode): void {
    const { temporal, faults } = this.#world;
    if (faults.mode('worker') !== undefined) this.heal();
    faults.set('worker', mode);
    switch (mode) {
      case 'down':
        for (let worker = temporal.workers[0]; worker; worker = temporal.workers[0]) temporal.kill(worker);
        return;
      case 'error':
        return this.#crash();
      case 'slow':
        for (const worker of temporal.workers) worker.taskMs = 2_500;
        return;
      case 'hang': {
        // One process loses its line to Temporal and goes on; where there is another, it takes over.
        const [worker] = temporal.workers;
        this.#deaf = worker;
        if (worker) temporal.disconnect(worker);
        return;
      }
    }
  }

  /** Crashes every few seconds for as long as the outage lasts. */
  #crash(): void {
    const { faults, time } = this.#world;
    if (faults.mode('worker') !== 'error') return;
    this.kill(1_000);
    time.after(7_000, () => this.#crash());
  }

  heal(): void {
    const { temporal, product, faults } = this.#world;
    const mode = faults.mode('worker');
    faults.heal('worker');
    if (this.#deaf?.alive) temporal.reconnect(this.#deaf);
    this.#deaf = undefined;
    for (const worker of temporal.workers) worker.taskMs = 2;
    if (mode === 'down' || temporal.workers.length === 0) temporal.join(product.newWorker('worker'));
  }
}
