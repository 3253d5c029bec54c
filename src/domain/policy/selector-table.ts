import type { LabelSet } from './identity.ts';
import type { Requirement } from './policy.ts';

/** Label selectors, each kept once: policies repeat them, and each is asked once for one set of labels. */
export class SelectorTable {
  readonly #places = new Map<string, number>();
  readonly #selectors: (readonly Requirement[])[] = [];

  get size(): number {
    return this.#selectors.length;
  }

  place(requirements: readonly Requirement[]): number {
    const key = JSON.stringify(requirements.map(({ source, key, operator, values }) => [source, key, operator, values]));
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.#selectors.push(requirements) - 1;
    this.#places.set(key, place);
    return place;
  }

  at(place: number): readonly Requirement[] {
    return this.#selectors[place] ?? [];
  }

  matches(place: number, labels: LabelSet): boolean {
    const known = labels.matched[place];
    if (known) return known === 2;
    const matches = this.at(place).every((requirement) => labels.meets(requirement));
    labels.matched[place] = matches ? 2 : 1;
    return matches;
  }
}
