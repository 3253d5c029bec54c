/** A heap: the least item is at hand, the others are in no order. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#up(this.#items.length - 1);
  }

  pop(): T | undefined {
    const [first] = this.#items;
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.#down(0);
    }
    return first;
  }

  /** Changes items where they are; `change` says whether one was changed. */
  change(change: (item: T) => boolean): void {
    let changed = false;
    for (const item of this.#items) changed = change(item) || changed;
    if (!changed) return;
    for (let at = this.#items.length >> 1; at >= 0; at -= 1) this.#down(at);
  }

  // The innermost loops of a run: no arrays are made here.
  #up(from: number): void {
    const items = this.#items;
    const item = items[from];
    if (item === undefined) return;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || this.#compare(item, parent) >= 0) break;
      items[at] = parent;
      at = above;
    }
    items[at] = item;
  }

  #down(from: number): void {
    const items = this.#items;
    const item = items[from];
    if (item === undefined) return;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      let child = items[below];
      if (child === undefined) break;
      const other = items[below + 1];
      if (other !== undefined && this.#compare(other, child) < 0) {
        below += 1;
        child = other;
      }
      if (this.#compare(child, item) >= 0) break;
      items[at] = child;
      at = below;
    }
    items[at] = item;
  }
}
