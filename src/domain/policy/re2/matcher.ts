import type { Assertion } from './node.ts';
import type { Program } from './program.ts';

/** What stood before a place. */
const START = 0;
const NEWLINE = 1;
const WORD = 2;
const OTHER = 3;
const END = -1;
/** States kept before the table is thrown away and begun anew: memory stays bounded, time linear. */
const MOST_STATES = 256;
const ASCII = 128;

/** Where a text stands in the automaton after some of its characters. */
export interface State {
  readonly places: readonly number[];
  readonly before: number;
  /** By code, for the first 128. */
  readonly nexts: (State | undefined)[];
  accepts: boolean | undefined;
}

/**
 * A deterministic automaton that is built as texts come by: each step is one table look-up once it was seen, and never costs more than
 * the size of the program (Thompson 1968; RE2 does the same).
 */
export class LazyMatcher {
  readonly #program: Program;
  #states = new Map<string, State>();
  #start: State;

  constructor(program: Program) {
    this.#program = program;
    this.#start = this.#state([program.start], START);
  }

  /** Before the first character. */
  get start(): State {
    return this.#start;
  }

  /** After one more character (a code point). */
  after(state: State, code: number): State {
    return (code < ASCII ? state.nexts[code] : undefined) ?? this.#step(state, code);
  }

  /** Whether a text that ends here matches. */
  accepts(state: State): boolean {
    state.accepts ??= this.#closure(state, END).accepts;
    return state.accepts;
  }

  matches(text: string): boolean {
    let state = this.#start;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.codePointAt(at) ?? 0;
      if (code > 0xffff) at += 1;
      state = this.after(state, code);
      if (state.places.length === 0) return false;
    }
    return this.accepts(state);
  }

  #step(state: State, code: number): State {
    const { steps, hasAssertions } = this.#program;
    const reached = new Set<number>();
    for (const place of this.#closure(state, code).characters) {
      const step = steps[place];
      if (step?.kind === 'char' && step.matches(code)) reached.add(step.next);
    }
    const next = this.#state(
      [...reached].sort((a, b) => a - b),
      hasAssertions ? kindOf(code) : START,
    );
    // Beyond ASCII the table would grow with the alphabet.
    if (code < ASCII) state.nexts[code] = next;
    return next;
  }

  #state(places: readonly number[], before: number): State {
    const key = `${before}:${places.join(',')}`;
    const known = this.#states.get(key);
    if (known) return known;
    const state = emptyState(places, before);
    if (this.#states.size >= MOST_STATES) {
      this.#states = new Map();
      this.#start = emptyState([this.#program.start], START);
    }
    this.#states.set(key, state);
    return state;
  }

  /** All places reached without reading, between what stood before and the code that comes. */
  #closure(state: State, code: number): { readonly characters: readonly number[]; readonly accepts: boolean } {
    const seen = new Set<number>();
    const todo = [...state.places];
    const characters: number[] = [];
    let accepts = false;
    for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      const step = this.#program.steps[place];
      if (step?.kind === 'char') characters.push(place);
      else if (step?.kind === 'accept') accepts = true;
      else if (step?.kind === 'fork') todo.push(...step.next);
      else if (step?.kind === 'assert' && holds(step.what, state.before, code)) todo.push(step.next);
    }
    return { characters, accepts };
  }
}

function emptyState(places: readonly number[], before: number): State {
  return { places, before, nexts: [], accepts: undefined };
}

function kindOf(code: number): number {
  if (code === 10) return NEWLINE;
  const isWord = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
  return isWord ? WORD : OTHER;
}

function holds(what: Assertion, before: number, code: number): boolean {
  switch (what) {
    case 'text-start':
      return before === START;
    case 'line-start':
      return before === START || before === NEWLINE;
    case 'text-end':
      return code === END;
    case 'line-end':
      return code === END || code === 10;
    case 'word':
      return (before === WORD) !== (code !== END && kindOf(code) === WORD);
    case 'not-word':
      return (before === WORD) === (code !== END && kindOf(code) === WORD);
  }
}
