import { number } from '../words/words.ts';

/** Kinds told apart; what else comes is counted as the rest. */
const MOST = 8;
const TOLD = 3;
const REST = 'other';

interface Kind {
  readonly name: string;
  count: number;
}

/** How the canary's requests failed: what whoever is called wants to know first. */
export class Kinds {
  readonly #counts: Map<string, Kind>;
  /** Mostly the next failure is of the same kind. */
  #last: Kind | undefined;

  constructor(from: Readonly<Record<string, number>> = {}) {
    this.#counts = new Map(Object.entries(from).map(([name, count]) => [name, { name, count }]));
  }

  add(name: string): void {
    const last = this.#last;
    const kind = last !== undefined && last.name === name ? last : this.#of(name);
    kind.count += 1;
    this.#last = kind;
  }

  #of(name: string): Kind {
    const known = this.#counts.get(name);
    if (known) return known;
    if (this.#counts.size >= MOST && name !== REST) return this.#of(REST);
    const kind = { name, count: 0 };
    this.#counts.set(name, kind);
    return kind;
  }

  /** ` How: 503 (12), late (3).`; empty where nothing has failed. */
  words(): string {
    const kinds = [...this.#counts.values()].toSorted((a, b) => b.count - a.count).slice(0, TOLD);
    return kinds.length === 0 ? '' : ` How: ${kinds.map(({ name, count }) => `${name} (${number(count)})`).join(', ')}.`;
  }

  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts.values()].map(({ name, count }) => [name, count]));
  }
}
