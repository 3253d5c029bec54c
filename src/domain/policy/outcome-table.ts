/** Slots in the beginning; a power of two. */
const FIRST_SLOTS = 1 << 10;

/**
 * What was decided, by source, destination and port: an open hash table in plain arrays (linear probing). Two nested Maps need five
 * times the memory, and the time of deciding a known flow is that of reaching the memory.
 */
export class OutcomeTable<T> {
  readonly #most: number;
  #keys = new Int32Array(FIRST_SLOTS * 3);
  #values: (T | undefined)[] = Array.from<T | undefined>({ length: FIRST_SLOTS });
  #size = 0;

  /** @param most entries kept; when they are reached all are forgotten */
  constructor(most: number) {
    this.#most = most;
  }

  get(source: number, destination: number, what: number): T | undefined {
    return this.#values[this.#slot(source, destination, what)];
  }

  set(source: number, destination: number, what: number, value: T): void {
    if (this.#size >= this.#most) this.#clear();
    if (this.#size * 2 >= this.#values.length) this.#grow();
    if (this.#put(source, destination, what, value)) this.#size += 1;
  }

  /** The slot of the key, or the free one where it belongs. */
  #slot(source: number, destination: number, what: number): number {
    const mask = this.#values.length - 1;
    let slot = hash(source, destination, what) & mask;
    while (this.#values[slot] !== undefined) {
      const at = slot * 3;
      if (this.#keys[at] === source && this.#keys[at + 1] === destination && this.#keys[at + 2] === what) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #put(source: number, destination: number, what: number, value: T): boolean {
    const slot = this.#slot(source, destination, what);
    const isNew = this.#values[slot] === undefined;
    this.#keys[slot * 3] = source;
    this.#keys[slot * 3 + 1] = destination;
    this.#keys[slot * 3 + 2] = what;
    this.#values[slot] = value;
    return isNew;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Int32Array(keys.length * 4);
    this.#values = Array.from<T | undefined>({ length: values.length * 4 });
    for (let slot = 0; slot < values.length; slot += 1) {
      const value = values[slot];
      if (value !== undefined) this.#put(keys[slot * 3] ?? 0, keys[slot * 3 + 1] ?? 0, keys[slot * 3 + 2] ?? 0, value);
    }
  }

  #clear(): void {
    this.#keys = new Int32Array(FIRST_SLOTS * 3);
    this.#values = Array.from<T | undefined>({ length: FIRST_SLOTS });
    this.#size = 0;
  }
}

/** Mixes three numbers into 32 bits (the finisher of MurmurHash3, Austin Appleby, public domain). */
function hash(source: number, destination: number, what: number): number {
  let mixed = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b) ^ Math.imul(what, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
