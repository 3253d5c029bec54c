import type { CharMatch } from './classes.ts';
import { type Assertion, type Node, RegexSyntaxError } from './node.ts';

/** One step of a Thompson automaton; the numbers are places in the program. */
export type Step =
  | { readonly kind: 'char'; readonly matches: CharMatch; readonly next: number }
  | { readonly kind: 'assert'; readonly what: Assertion; readonly next: number }
  | { readonly kind: 'fork'; readonly next: readonly number[] }
  | { readonly kind: 'accept' };

export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
  /** Without assertions a state need not remember what stood before it. */
  readonly hasAssertions: boolean;
}

/** Go's limit is on memory (about 128 MiB); this one is nearer, and far above what a policy writes. */
const MOST_STEPS = 100_000;

/** Built from the end to the start, so that every step knows where it goes on. Throws RegexSyntaxError when it is too large. */
export function programOf(node: Node): Program {
  const steps: Step[] = [{ kind: 'accept' }];
  const builder = new Builder(steps);
  const start = builder.before(node, 0);
  return { steps, start, hasAssertions: steps.some(({ kind }) => kind === 'assert') };
}

class Builder {
  readonly #steps: Step[];

  constructor(steps: Step[]) {
    this.#steps = steps;
  }

  #add(step: Step): number {
    if (this.#steps.length >= MOST_STEPS) throw new RegexSyntaxError('expression too large');
    return this.#steps.push(step) - 1;
  }

  before(node: Node, next: number): number {
    switch (node.kind) {
      case 'char':
        return this.#add({ kind: 'char', matches: node.matches, next });
      case 'assert':
        return this.#add({ kind: 'assert', what: node.what, next });
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.before(part, after), next);
      case 'either':
        return this.#add({ kind: 'fork', next: node.parts.map((part) => this.before(part, next)) });
      case 'repeat':
        return this.#repeat(node, next);
    }
  }

  #repeat({ part, least, most }: Extract<Node, { kind: 'repeat' }>, next: number): number {
    let at = next;
    if (most === Number.POSITIVE_INFINITY) {
      const loop = this.#add({ kind: 'fork', next: [] });
      this.#steps[loop] = { kind: 'fork', next: [this.before(part, loop), next] };
      at = loop;
    } else {
      for (let count = least; count < most; count += 1) at = this.#add({ kind: 'fork', next: [this.before(part, at), next] });
    }
    for (let count = 0; count < least; count += 1) at = this.before(part, at);
    return at;
  }
}
