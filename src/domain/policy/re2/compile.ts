import { LazyMatcher } from './matcher.ts';
import { RegexSyntaxError } from './node.ts';
import { parseRegex } from './parse.ts';
import { type Program, programOf } from './program.ts';

/** Whether a whole text matches. */
export type FullMatch = (text: string) => boolean;

/** What Go's regexp.Compile would object to; undefined = valid, the empty pattern too. */
export function regexError(pattern: string): string | undefined {
  const compiled = compileRegex(pattern);
  return typeof compiled === 'string' ? compiled : undefined;
}

/** The automaton of a pattern; undefined where the pattern is no RE2. */
export function automatonOf(pattern: string): Automaton | undefined {
  try {
    const program = programOf(parseRegex(pattern));
    return { matcher: new LazyMatcher(program), program };
  } catch (error) {
    if (error instanceof RegexSyntaxError) return undefined;
    throw error;
  }
}

export interface Automaton {
  readonly matcher: LazyMatcher;
  readonly program: Program;
}

/**
 * A full-match test in time linear in the text, whatever the pattern: policies are other people's input, and JavaScript's own engine
 * backtracks. Returns the reason as a text where the pattern is no RE2.
 */
export function compileRegex(pattern: string): FullMatch | string {
  try {
    const matcher = new LazyMatcher(programOf(parseRegex(pattern)));
    return (text) => matcher.matches(text);
  } catch (error) {
    if (error instanceof RegexSyntaxError) return `error parsing regexp: ${error.message}`;
    throw error;
  }
}
