import type { Random } from '../random.ts';
import type { VirtualTime } from '../virtual-time.ts';

/** What the product leans on, and how each can fail. */
export const SYSTEMS = ['slack', 'database', 'hubble', 'prometheus', 'api', 'worker'] as const;
export type System = (typeof SYSTEMS)[number];
export const MODES = ['down', 'slow', 'error', 'hang'] as const;
export type Mode = (typeof MODES)[number];

/** Which systems are out now, and how. */
export class Faults {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #now = new Map<System, Mode>();
  /** When each was well again for the last time (epoch ms). */
  readonly #healed = new Map<System, number>();

  readonly #listeners = new Set<() => void>();

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** Calls `listener` whenever something breaks or heals; returns what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  set(system: System, mode: Mode): void {
    this.#now.set(system, mode);
    this.#time.wake();
    for (const listener of this.#listeners) listener();
  }

  heal(system: System): void {
    if (!this.#now.delete(system)) return;
    this.#healed.set(system, this.#time.now);
    this.#time.wake();
    for (const listener of this.#listeners) listener();
  }

  mode(system: System): Mode | undefined {
    return this.#now.get(system);
  }

  get present(): readonly (readonly [System, Mode])[] {
    return [...this.#now];
  }

  /** Has this system been well for so long (ms)? */
  wellFor(system: System, ms: number): boolean {
    return !this.#now.has(system) && this.#time.now - (this.#healed.get(system) ?? Number.NEGATIVE_INFINITY) >= ms;
  }

  /**
   * One call to a system. `work` is what it does there; `fail` makes the error that the caller sees. A call that hangs is given up by the
   * caller after `deadlineMs`, and may have been done all the same.
   */
  async call<T>(
    system: System,
    work: () => T,
    fail: (how: 'down' | 'error' | 'hang') => Error,
    options: { readonly ms: number; readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<T> {
    const { signal, deadlineMs } = options;
    signal?.throwIfAborted();
    const mode = this.#now.get(system);
    switch (mode) {
      case 'down':
        await this.#wait(options.ms, signal);
        throw fail('down');
      case 'error':
        await this.#wait(options.ms, signal);
        throw fail('error');
      case 'hang': {
        const done = this.#random.chance(0.5);
        if (done) this.#time.after(options.ms, () => attempt(work));
        await this.#wait(deadlineMs, signal);
        throw fail('hang');
      }
      case 'slow':
        await this.#wait(this.#random.between(300, Math.min(3_000, deadlineMs - 1)), signal);
        return work();
      case undefined:
        await this.#wait(options.ms, signal);
        return work();
      default:
        return mode satisfies never;
    }
  }

  /** Ends early when the caller gives up; never when the caller's process is dead. */
  #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#time.after(ms, () => {
        signal?.removeEventListener('abort', over);
        resolve();
      });
      const over = (): void => {
        timer.cancel();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', over, { once: true });
    });
  }
}

function attempt(work: () => unknown): void {
  try {
    work();
  } catch {
    // The caller has given up: nobody hears of it.
  }
}
