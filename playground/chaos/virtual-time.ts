import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import { Queue } from './queue.ts';

/**
 * Time that passes only when nothing is left to do. The product's own code waits with the timers of the platform, so these are replaced while
 * a run lasts; nothing in the product knows of it.
 */

/** A process of the model. Its timers die with it, as those of a killed process do. */
export interface Process {
  readonly name: string;
  alive: boolean;
}

const running = new AsyncLocalStorage<Process | undefined>();
const realImmediate = globalThis.setImmediate;

/**
 * Pauses of loops that look again and again (ms): in a long quiet time they are made longer, so that days cost little. What an interval
 * does is a look always; a long pause of a function may be a limit.
 */
const LOOKING = { least: 100, mostOfPause: 10_000, mostOfInterval: 60_000 } as const;
/** Quiet for so long: the looks are still as the product wants them. Afterwards they thin out in proportion (ms). */
const QUIET_MS = 3_000;
/** A look comes at the latest after this part of the quiet time: what is promised within a minute is looked at within one. */
const LATEST = 3;
/** Looks fall on multiples of this (ms), so that many of them cost one turn. */
const GRID_MS = 250;

interface Timer {
  at: number;
  readonly order: number;
  /** Undefined: it was cancelled. What it would have done may hold much, and its time may be days away. */
  run: (() => void) | undefined;
  readonly process: Process | undefined;
  /** What the product asked for, where the timer may be thinned out. */
  readonly pause: number | undefined;
}

/** What setTimeout and setInterval return. */
class Handle {
  timer: { cancel(): void } | undefined;
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
}

export class VirtualTime {
  /** Epoch ms. */
  now: number;
  readonly #startedAt: number;
  readonly #timers = new Queue<Timer>((a, b) => a.at - b.at || a.order - b.order);
  #order = 0;
  #wokenAt: number;
  #restore: (() => void) | undefined;
  fired = 0;

  constructor(now: number) {
    this.now = now;
    this.#startedAt = now;
    this.#wokenAt = now;
  }

  /** Runs `work` in a process: what it starts ends when the process is killed. */
  in<T>(process: Process | undefined, work: () => T): T {
    return running.run(process, work);
  }

  /** Is the code that runs now part of a process that has been killed? */
  isDead(): boolean {
    return running.getStore()?.alive === false;
  }

  process(): Process | undefined {
    return running.getStore();
  }

  /** Something has happened: loops look as often as they are meant to, for a while. */
  wake(): void {
    const thinned = this.now - this.#wokenAt > QUIET_MS;
    this.#wokenAt = this.now;
    if (!thinned) return;
    this.#timers.change((timer) => {
      if (timer.pause === undefined) return false;
      const at = Math.min(timer.at, Math.ceil((this.now + timer.pause) / GRID_MS) * GRID_MS);
      if (at === timer.at) return false;
      timer.at = at;
      return true;
    });
  }

  /** `looks`: the timer belongs to a loop that looks again and again, and is thinned out up to this length (ms). */
  after(ms: number, run: () => void, looks = 0): { cancel(): void } {
    const process = running.getStore();
    // As AsyncLocalStorage.snapshot() does it, without what that costs.
    const context = new AsyncResource('timer', { requireManualDestroy: true });
    const isThin = ms >= LOOKING.least && ms <= looks;
    const due = this.now + Math.max(0, isThin ? this.#thinned(ms) : ms);
    const at = isThin ? Math.ceil(due / GRID_MS) * GRID_MS : due;
    const timer: Timer = {
      at,
      order: ++this.#order,
      run: () => context.runInAsyncScope(run),
      process,
      pause: isThin ? ms : undefined,
    };
    this.#timers.push(timer);
    return { cancel: () => void (timer.run = undefined) };
  }

  /** How long the pause of a loop is now: in proportion to how long all has been quiet, and never more than a third of that. */
  #thinned(ms: number): number {
    const quiet = this.now - this.#wokenAt;
    return Math.max(ms, Math.min((ms * quiet) / QUIET_MS, quiet / LATEST));
  }

  /** Again and again after so many ms, until the process ends. */
  every(ms: number, run: () => void): void {
    this.after(
      ms,
      () => {
        run();
        this.every(ms, run);
      },
      LOOKING.mostOfInterval,
    );
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets everything run that waits for no time. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => void realImmediate(resolve));
  }

  /** Time passes up to `at`, or until `stop` says so. */
  async until(at: number, stop: () => boolean = () => false): Promise<void> {
    await this.settle();
    while (!stop()) {
      const next = this.#timers.peek();
      if (!next || next.at > at) break;
      this.#timers.pop();
      if (!next.run || next.process?.alive === false) continue;
      this.now = Math.max(this.now, next.at);
      this.fired += 1;
      next.run();
      if (next.pause !== undefined) this.#alike(next.at);
      await this.settle();
    }
    if (!stop()) this.now = Math.max(this.now, at);
  }

  /** Looks that are due at the same time are made in one turn. */
  #alike(at: number): void {
    for (let other = this.#timers.peek(); other && other.at === at && other.pause !== undefined; other = this.#timers.peek()) {
      this.#timers.pop();
      if (other.process?.alive !== false) other.run?.();
    }
  }

  /** Replaces the platform's timers until `uninstall`. */
  install(): void {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
    const { setTimeout: promised } = timersPromises;
    const timeout: unknown = Reflect.get(AbortSignal, 'timeout');
    const start = (run: () => void, ms: number, again: boolean): Handle => {
      const handle = new Handle();
      const arm = (): void => {
        handle.timer = this.after(ms, fire, again ? LOOKING.mostOfInterval : 0);
      };
      const fire = (): void => {
        if (again) arm();
        run();
      };
      arm();
      return handle;
    };
    const clear = (handle: unknown): void => {
      if (handle instanceof Handle) handle.timer?.cancel();
    };
    const waits = (ms = 1, value?: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(abortError(signal));
        const over = (): void => {
          timer.cancel();
          reject(abortError(signal));
        };
        const timer = this.after(
          ms,
          () => {
            signal?.removeEventListener('abort', over);
            resolve(value);
          },
          LOOKING.mostOfPause,
        );
        signal?.addEventListener('abort', over, { once: true });
      });
    Object.assign(globalThis, {
      setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => start(() => run(...args), ms, false),
      setInterval: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => start(() => run(...args), ms, true),
      clearTimeout: clear,
      clearInterval: clear,
    });
    Object.assign(timersPromises, { setTimeout: waits });
    syncBuiltinESMExports();
    Object.assign(AbortSignal, {
      timeout: (ms: number) => {
        const controller = new AbortController();
        this.after(ms, () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')));
        return controller.signal;
      },
    });
    Object.defineProperty(performance, 'now', { configurable: true, value: () => this.now - this.#startedAt });
    this.#restore = () => {
      Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
      Object.assign(timersPromises, { setTimeout: promised });
      syncBuiltinESMExports();
      Object.assign(AbortSignal, { timeout });
      Reflect.deleteProperty(performance, 'now');
    };
  }

  uninstall(): void {
    this.#restore?.();
    this.#restore = undefined;
  }
}

function abortError(signal: AbortSignal | undefined): Error {
  return Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), { name: 'AbortError', code: 'ABORT_ERR' });
}
