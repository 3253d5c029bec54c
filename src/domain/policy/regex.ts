import { RE2JS, RE2JSException } from 're2js';

/** Whether a whole text matches. */
export type FullMatch = (text: string) => boolean;

/** Classes of characters that re2js has, and neither Go's regexp nor RE2. */
const ITS_OWN =
  /(?<!\\)(?:\\\\)*\\[pP]\{\^?(ASCII_Hex_Digit|Alphabetic|Dash|Emoji\w*|Extended_Pictographic|Hex_Digit|Lowercase|Math|Quotation_Mark|Terminal_Punctuation|Unknown|Uppercase|White_Space)\}/;

/** What Go's regexp.Compile would object to; undefined = valid, the empty pattern too. */
export function regexError(pattern: string): string | undefined {
  const compiled = compileRegex(pattern);
  return typeof compiled === 'string' ? compiled : undefined;
}

/**
 * A full-match test in time linear in the text, whatever the pattern: policies are other people's input, and JavaScript's own engine
 * backtracks. Returns the reason as a text where the pattern is no RE2.
 */
export function compileRegex(pattern: string): FullMatch | string {
  const its = ITS_OWN.exec(pattern)?.[1];
  if (its !== undefined) return `error parsing regexp: invalid character class range: \`\\p{${its}}\``;
  try {
    const regex = RE2JS.compile(pattern);
    return (text) => regex.testExact(text);
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
