import { RE2Set } from 're2js';
import { regexError } from '../regex.ts';
import type { Choice } from './conjunctions.ts';

/** Which texts can occur: how they begin, and the characters (code points) they are made of. */
export interface Alphabet {
  readonly begins: string;
  readonly codes: readonly number[];
}

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const PRINTABLE = range(0x21, 0x7e);

/** A request's path begins with a slash; printable ASCII, and one character beyond it. */
export const PATHS: Alphabet = { begins: '/', codes: [...PRINTABLE, 0xe9] };
/** Host names with a port, and whatever else a client may write there. */
export const HOSTS: Alphabet = { begins: '', codes: PRINTABLE };
export const METHODS: Alphabet = { begins: '', codes: range(0x41, 0x5a) };
/** Names in DNS, lower case with the final dot: the form in which they are compared. */
export const NAMES: Alphabet = { begins: '', codes: [...range(0x61, 0x7a), ...range(0x30, 0x39), 0x2d, 0x2e, 0x5f] };

/** States of the automaton of all patterns together that are looked at; beyond that some classes may be missing. */
const MOST_STATES = 4_000;
const BEGIN_OF_TEXT = 0b101;
const END_OF_TEXT = -1;

/**
 * A text for every set of patterns (RE2, whole match) that a text can match together. `keeps` of a choice are the numbers of the patterns
 * it matches; a pattern that is no RE2 matches nothing. Walks their common automaton breadth first, so each text is a short one.
 */
export function textClasses(
  patterns: readonly string[],
  alphabet: Alphabet,
): { readonly choices: readonly Choice<string>[]; readonly cut: boolean } {
  const automaton = new Automaton(patterns);
  const codes = automaton.distinct(alphabet.codes);
  const found = new Map<bigint, string>();
  const begin = Array.from(alphabet.begins, codeOf).reduce((state, code) => automaton.after(state, code), automaton.start);
  const seen = new Set([begin]);
  const queue = [{ state: begin, text: alphabet.begins }];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { state, text } = next;
    const bits = automaton.matched(state);
    if (!found.has(bits)) found.set(bits, text);
    for (const code of codes) {
      const after = automaton.after(state, code);
      if (seen.has(after) || seen.size >= MOST_STATES) continue;
      seen.add(after);
      queue.push({ state: after, text: text + String.fromCodePoint(code) });
    }
  }
  const choices = [...found].map(([keeps, value]) => ({ value, keeps }));
  return { choices, cut: seen.size >= MOST_STATES };
}

/** What re2js says of a state: which patterns match a text that has ended here. */
interface State {
  readonly matchIDs: readonly number[];
}

/** All patterns in one automaton, whose states are found as they are asked for. */
class Automaton {
  // Whoever walks it counts the states, so that it need not count their bytes.
  readonly #set = new RE2Set(RE2Set.ANCHOR_BOTH, 0, Number.POSITIVE_INFINITY);
  /** The numbers of the patterns, by the automaton's own. */
  readonly #numbers: readonly number[];

  constructor(patterns: readonly string[]) {
    this.#numbers = [...patterns.keys()].filter((number) => regexError(patterns[number] ?? '') === undefined);
    for (const number of this.#numbers) this.#set.add(patterns[number] ?? '');
    this.#set.compile();
  }

  get start(): State {
    return this.#set.dfa.start({ context: () => BEGIN_OF_TEXT }, 0);
  }

  after(state: State, code: number): State {
    return this.#set.dfa.step(state, this.#set.dfa.runeClass(code), code, RE2Set.ANCHOR_BOTH);
  }

  /** The patterns that match a text which ends here: bit i = number i. */
  matched(state: State): bigint {
    const end: State = this.#set.dfa.step(state, this.#set.dfa.numClasses, END_OF_TEXT, RE2Set.ANCHOR_BOTH);
    return end.matchIDs.reduce((bits, id) => bits | (1n << BigInt(this.#numbers[id] ?? 0)), 0n);
  }

  /** One of all characters that no pattern tells apart. */
  distinct(codes: readonly number[]): readonly number[] {
    return [...Map.groupBy(codes, (code) => this.#set.dfa.runeClass(code)).values()].flatMap(([first]) => first ?? []);
  }
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0;
}
