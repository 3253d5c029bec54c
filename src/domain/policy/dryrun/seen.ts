/** Slots in the beginning; a power of two. */
const FIRST_SLOTS = 1 << 12;
/** Two generations of this many: 64 MiB, and half of it once more while one grows. */
const MOST = 2_000_000;

/**
 * What was seen already, in memory that does not grow with a recording: a hash of 64 bits for each, in two generations. The older one is forgotten when the
 * younger is full, so that of two events millions of connections apart the second counts once more.
 */
export class SeenSet {
  readonly #most: number;
  #young = new HashSet();
  #old: HashSet | undefined;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** Whether it is new; it is known from then on. */
  add(text: string): boolean {
    const [high, low] = hashOf(text);
    if (this.#old?.has(high, low) || !this.#young.add(high, low)) return false;
    if (this.#young.size >= this.#most) {
      this.#old = this.#young;
      this.#young = new HashSet();
    }
    return true;
  }

  has(text: string): boolean {
    const [high, low] = hashOf(text);
    return this.#young.has(high, low) || (this.#old?.has(high, low) ?? false);
  }
}

/** Open addressing with linear probing; both halves zero = free. */
class HashSet {
  size = 0;
  #slots = new Uint32Array(FIRST_SLOTS * 2);

  has(high: number, low: number): boolean {
    return this.#slots[this.#place(high, low) + 1] !== 0;
  }

  add(high: number, low: number): boolean {
    if (this.size * 4 >= this.#slots.length) this.#grow();
    const at = this.#place(high, low);
    if (this.#slots[at + 1] !== 0) return false;
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.size += 1;
    return true;
  }

  #place(high: number, low: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (low * 2) & mask;
    while (slots[at + 1] !== 0 && (slots[at] !== high || slots[at + 1] !== low)) at = (at + 2) & mask;
    return at;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const [high = 0, low = 0] = [old[at], old[at + 1]];
      if (low === 0) continue;
      const to = this.#place(high, low);
      this.#slots[to] = high;
      this.#slots[to + 1] = low;
    }
  }
}

/** cyrb53 by bryc (public domain), both halves in full; the low one is never zero. */
function hashOf(text: string): readonly [number, number] {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x9e3779b1);
    low = Math.imul(low ^ code, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return [high >>> 0, low >>> 0 || 1];
}
