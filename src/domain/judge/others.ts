/** What the control did in the last seconds, for people. */
const SLOT_MS = 1_000;
const SLOTS = 12;
const WIDTH = 3;

export class Others {
  /** Start, requests and failures of each second that had any, one after the other. */
  readonly #slots: number[];

  constructor(from: readonly number[] = []) {
    this.#slots = [...from];
  }

  add(failed: boolean, at: number): void {
    const slots = this.#slots;
    const last = slots.length - WIDTH;
    if (last < 0 || at >= (slots[last] as number) + SLOT_MS) {
      slots.push(Math.floor(at / SLOT_MS) * SLOT_MS, 1, failed ? 1 : 0);
      if (slots.length > SLOTS * WIDTH) slots.splice(0, WIDTH);
      return;
    }
    slots[last + 1] = (slots[last + 1] as number) + 1;
    if (failed) slots[last + 2] = (slots[last + 2] as number) + 1;
  }

  /** From the second of `at` on, as far as it is remembered. */
  since(at: number): { readonly requests: number; readonly failures: number } {
    let [requests, failures] = [0, 0];
    for (let slot = 0; slot < this.#slots.length; slot += WIDTH) {
      if ((this.#slots[slot] as number) <= at - SLOT_MS) continue;
      requests += this.#slots[slot + 1] as number;
      failures += this.#slots[slot + 2] as number;
    }
    return { requests, failures };
  }

  snapshot(): readonly number[] {
    return this.#slots;
  }
}
