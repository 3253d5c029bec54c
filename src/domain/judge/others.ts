/** What the control did in the last seconds, for people. */
const SLOT_MS = 1_000;
const SLOTS = 12;

export class Others {
  /** Start, requests and failures of each second that had any. */
  readonly #slots: [number, number, number][];

  constructor(from: readonly (readonly [number, number, number])[] = []) {
    this.#slots = from.map(([at, requests, failures]) => [at, requests, failures]);
  }

  add(failed: boolean, at: number): void {
    let last = this.#slots[this.#slots.length - 1];
    if (!last || at >= last[0] + SLOT_MS) {
      last = [Math.floor(at / SLOT_MS) * SLOT_MS, 0, 0];
      this.#slots.push(last);
      if (this.#slots.length > SLOTS) this.#slots.shift();
    }
    last[1] += 1;
    if (failed) last[2] += 1;
  }

  /** From the second of `at` on, as far as it is remembered. */
  since(at: number): { readonly requests: number; readonly failures: number } {
    const slots = this.#slots.filter(([start]) => start > at - SLOT_MS);
    return {
      requests: slots.reduce((sum, [, requests]) => sum + requests, 0),
      failures: slots.reduce((sum, [, , failures]) => sum + failures, 0),
    };
  }

  snapshot(): readonly (readonly [number, number, number])[] {
    return this.#slots;
  }
}
