import { type Automaton, automatonOf } from '../re2/compile.ts';
import type { State } from '../re2/matcher.ts';
import { bitsOf, type Choice } from './conjunctions.ts';

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

/** Positions in all automata together that are looked at; beyond that some classes may be missing. */
const MOST_POSITIONS = 4_000;

/**
 * A text for every set of patterns (RE2, whole match) that a text can match together. `keeps` of a choice are the numbers of the patterns
 * it matches; a pattern that is no RE2 matches nothing. Walks the product of the automata breadth first, so each text is a short one.
 */
export function textClasses(
  patterns: readonly string[],
  alphabet: Alphabet,
): { readonly choices: readonly Choice<string>[]; readonly cut: boolean } {
  const automata = patterns.map(automatonOf);
  const codes = distinctCodes(automata, alphabet.codes);
  const found = new Map<bigint, string>();
  const begin = automata.map(
    (automaton) =>
      automaton &&
      Array.from(alphabet.begins).reduce((state, char) => automaton.matcher.after(state, codeOf(char)), automaton.matcher.start),
  );
  const seen = new Set([keyOf(begin)]);
  const queue: { readonly states: readonly (State | undefined)[]; readonly text: string }[] = [{ states: begin, text: alphabet.begins }];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { states, text } = next;
    const bits = bitsOf(automata, (automaton, index) => accepts(automaton, states[index]));
    if (!found.has(bits)) found.set(bits, text);
    for (const code of codes) {
      const after = automata.map((automaton, index) => step(automaton, states[index], code));
      const key = keyOf(after);
      if (seen.has(key) || seen.size >= MOST_POSITIONS) continue;
      seen.add(key);
      queue.push({ states: after, text: text + String.fromCodePoint(code) });
    }
  }
  const choices = [...found].map(([keeps, value]) => ({ value, keeps }));
  return { choices, cut: seen.size >= MOST_POSITIONS };
}

function step(automaton: Automaton | undefined, state: State | undefined, code: number): State | undefined {
  return automaton && state && automaton.matcher.after(state, code);
}

function accepts(automaton: Automaton | undefined, state: State | undefined): boolean {
  return automaton !== undefined && state !== undefined && automaton.matcher.accepts(state);
}

function keyOf(states: readonly (State | undefined)[]): string {
  return states.map((state) => (state ? `${state.before}:${state.places.join()}` : '')).join('|');
}

/** One of all characters that no pattern tells apart. */
function distinctCodes(automata: readonly (Automaton | undefined)[], codes: readonly number[]): readonly number[] {
  const tests = automata.flatMap(
    (automaton) => automaton?.program.steps.flatMap((one) => (one.kind === 'char' ? [one.matches] : [])) ?? [],
  );
  const hasWords = automata.some((automaton) => automaton?.program.hasAssertions);
  const kinds = new Map<string, number>();
  for (const code of codes) {
    const key = `${tests.map((matches) => (matches(code) ? 1 : 0)).join('')}${hasWords ? /\w/.test(String.fromCodePoint(code)) : ''}`;
    if (!kinds.has(key)) kinds.set(key, code);
  }
  return [...kinds.values()];
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0;
}
