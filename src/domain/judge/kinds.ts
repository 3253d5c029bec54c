import { number } from './words.ts';

/** Kinds told apart; what else comes is counted as the rest. */
const MOST = 8;
const TOLD = 3;

/** How the canary's requests failed: what whoever is called wants to know first. */
export class Kinds {
  readonly #counts: Map<string, number>;

  constructor(from: Readonly<Record<string, number>> = {}) {
    this.#counts = new Map(Object.entries(from));
  }

  add(kind: string): void {
    const count = this.#counts.get(kind);
    if (count !== undefined || this.#counts.size < MOST) this.#counts.set(kind, (count ?? 0) + 1);
    else this.#counts.set('other', (this.#counts.get('other') ?? 0) + 1);
  }

  /** ` How: 503 (12), late (3).`; empty where nothing has failed. */
  words(): string {
    const kinds = [...this.#counts].toSorted(([, a], [, b]) => b - a).slice(0, TOLD);
    return kinds.length === 0 ? '' : ` How: ${kinds.map(([kind, count]) => `${kind} (${number(count)})`).join(', ')}.`;
  }

  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
