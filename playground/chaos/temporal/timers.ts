import type { VirtualTime } from '../virtual-time.ts';

/** The timers that one run waits for, by the sequence number of their command. */
export class RunTimers {
  readonly #time: VirtualTime;
  readonly #timers = new Map<number, { cancel(): void }>();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  start(seq: number, ms: number, fire: () => void): void {
    const over = (): void => {
      if (this.#timers.delete(seq)) fire();
    };
    this.#timers.set(
      seq,
      this.#time.in(undefined, () => this.#time.after(ms, over)),
    );
  }

  cancel(seq: number): void {
    this.#timers.get(seq)?.cancel();
    this.#timers.delete(seq);
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }
}
