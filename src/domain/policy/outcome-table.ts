/** Slots in the beginning; a power of two. */
const FIRST_SLOTS = 1 << 10;
/** Numbers per slot: the three of the key, then 1 + the place of the value; 0 = free. Sixteen bytes: a slot is in one line of the cache. */
const WIDTH = 4;

/**
 * What was decided, by source, destination and port: an open hash table in one plain array (linear probing). The time of deciding a
 * known flow is that of reaching the memory, and two nested Maps need five times as much of it. Equal values should be one object:
 * each is kept once.
 */
export class OutcomeTable<T> {
  readonly #most: number;
  #slots = new Int32Array(FIRST_SLOTS * WIDTH);
  #values: T[] = [];
  #places = new Map<T, number>();
  #size = 0;

  /** @param most entries kept; when they are reached all are forgotten */
  constructor(most: number) {
    this.#most = most;
  }

  get(source: number, destination: number, what: number): T | undefined {
    const place = this.#slots[this.#slot(source, destination, what) + 3] ?? 0;
    return place === 0 ? undefined : this.#values[place - 1];
  }

  set(source: number, destination: number, what: number, value: T): void {
    if (this.#size >= this.#most) this.#clear();
    if (this.#size * 2 * WIDTH >= this.#slots.length) this.#grow();
    if (this.#put(source, destination, what, this.#place(value))) this.#size += 1;
  }

  #place(value: T): number {
    const known = this.#places.get(value);
    if (known !== undefined) return known;
    const place = this.#values.push(value);
    this.#places.set(value, place);
    return place;
  }

  /** Where the slot of the key begins, or the free one where it belongs. */
  #slot(source: number, destination: number, what: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (hash(source, destination, what) * WIDTH) & mask;
    while (slots[at + 3] !== 0) {
      if (slots[at] === source && slots[at + 1] === destination && slots[at + 2] === what) return at;
      at = (at + WIDTH) & mask;
    }
    return at;
  }

  #put(source: number, destination: number, what: number, place: number): boolean {
    const at = this.#slot(source, destination, what);
    const isNew = this.#slots[at + 3] === 0;
    this.#slots[at] = source;
    this.#slots[at + 1] = destination;
    this.#slots[at + 2] = what;
    this.#slots[at + 3] = place;
    return isNew;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WIDTH) {
      const place = old[at + 3] ?? 0;
      if (place !== 0) this.#put(old[at] ?? 0, old[at + 1] ?? 0, old[at + 2] ?? 0, place);
    }
  }

  #clear(): void {
    this.#slots = new Int32Array(FIRST_SLOTS * WIDTH);
    this.#values = [];
    this.#places = new Map();
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
