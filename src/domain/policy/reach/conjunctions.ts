/** One value on one dimension (a label key, a part of a request), and which conjunctions may still hold with it: bit i = number i. */
export interface Choice<T> {
  readonly value: T;
  readonly keeps: bigint;
}

export interface Classes<T> {
  /** One value of each dimension, for each set of conjunctions that can hold together. */
  readonly members: readonly (readonly T[])[];
  /** There are more than the limit: some are missing. */
  readonly cut: boolean;
}

/**
 * A member for every combination of conjunctions that some choice of values makes true together, and no other. Each dimension is
 * independent of the rest, so what counts after each of them is only which conjunctions are still alive.
 */
export function classesOf<T>(dimensions: readonly (readonly Choice<T>[])[], conjunctions: number, most: number): Classes<T> {
  let alive = new Map<bigint, readonly T[]>([[(1n << BigInt(conjunctions)) - 1n, []]]);
  let cut = false;
  for (const choices of dimensions) {
    const next = new Map<bigint, readonly T[]>();
    for (const [left, values] of alive) {
      for (const { value, keeps } of choices) {
        const still = left & keeps;
        if (next.has(still)) continue;
        if (next.size >= most) cut = true;
        else next.set(still, [...values, value]);
      }
    }
    alive = next;
  }
  return { members: [...alive.values()], cut };
}

/** The bits of the conjunctions for which `holds` is true. */
export function bitsOf<C>(conjunctions: readonly C[], holds: (one: C, index: number) => boolean): bigint {
  let bits = 0n;
  for (const [index, one] of conjunctions.entries()) if (holds(one, index)) bits |= 1n << BigInt(index);
  return bits;
}
