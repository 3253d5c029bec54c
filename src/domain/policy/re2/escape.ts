import { type CharMatch, LAST_CODE, unicodeClass } from './classes.ts';
import { RegexSyntaxError } from './node.ts';
import type { Reader } from './reader.ts';

const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** A backslash and what it stands for, as one code point; the reader stands on the backslash. */
export function readEscape(reader: Reader): number {
  const octal = reader.takeMatch(/\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y)?.[1];
  if (octal !== undefined) return Number.parseInt(octal, 8);
  const hex = reader.takeMatch(/\\x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/y);
  if (hex) {
    const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    if (code <= LAST_CODE) return code;
    throw new RegexSyntaxError(`invalid escape sequence: \`${hex[0]}\``);
  }
  reader.next();
  if (reader.done) throw new RegexSyntaxError('trailing backslash at end of expression');
  const letter = reader.next();
  const control = CONTROL[letter];
  if (control !== undefined) return control;
  // Backreferences end here too: RE2 has none, since they cannot be matched in linear time.
  if (/[0-9A-Za-z]/.test(letter) || (letter.codePointAt(0) ?? 0) > 0x7f)
    throw new RegexSyntaxError(`invalid escape sequence: \`\\${letter}\``);
  return letter.codePointAt(0) ?? 0;
}

/** `\pL`, `\p{Greek}`, `\P{^Greek}`, if one stands here. */
export function parseUnicodeName(reader: Reader, fold: boolean): CharMatch | undefined {
  if (!reader.at('\\p') && !reader.at('\\P')) return undefined;
  const found = reader.takeMatch(/\\([pP])(?:\{(\^?)(\w+)\}|([A-Za-z]))/y);
  if (!found) throw new RegexSyntaxError(`invalid character class range: \`${reader.rest.slice(0, 3)}\``);
  return unicodeClass(found[3] ?? found[4] ?? '', (found[1] === 'P') !== (found[2] === '^'), fold);
}
