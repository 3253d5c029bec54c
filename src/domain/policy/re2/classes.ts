import { RegexSyntaxError } from './node.ts';

/** Inclusive ranges of code points. */
export type Ranges = readonly (readonly [number, number])[];
export type CharMatch = (code: number) => boolean;

export const LAST_CODE = 0x10ffff;
const range = (from: string, to = from): readonly [number, number] => [from.charCodeAt(0), to.charCodeAt(0)];
const DIGIT: Ranges = [range('0', '9')];
const UPPER: Ranges = [range('A', 'Z')];
const LOWER: Ranges = [range('a', 'z')];
const SPACE: Ranges = [range('\t', '\n'), range('\f', '\r'), range(' ')];
const WORD: Ranges = [...DIGIT, ...UPPER, range('_'), ...LOWER];

/** `\d`, `\s`, `\w`: ASCII only, as in RE2. */
export const PERL: Readonly<Record<string, Ranges>> = { d: DIGIT, s: SPACE, w: WORD };

/** The names inside `[[:…:]]` (https://github.com/google/re2/wiki/Syntax). */
export const POSIX: Readonly<Record<string, Ranges>> = {
  alnum: [...DIGIT, ...UPPER, ...LOWER],
  alpha: [...UPPER, ...LOWER],
  ascii: [[0, 0x7f]],
  blank: [range('\t'), range(' ')],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: DIGIT,
  graph: [range('!', '~')],
  lower: LOWER,
  print: [range(' ', '~')],
  punct: [range('!', '/'), range(':', '@'), range('[', '`'), range('{', '~')],
  space: [...SPACE, [0x0b, 0x0b]],
  upper: UPPER,
  word: WORD,
  xdigit: [...DIGIT, range('A', 'F'), range('a', 'f')],
};

export function inRanges(ranges: Ranges, fold: boolean): CharMatch {
  const has = (code: number) => ranges.some(([from, to]) => code >= from && code <= to);
  return fold ? (code) => has(code) || otherCases(code).some(has) : has;
}

/** The same letter in its other cases; three characters have a third one (k, s and å with the Kelvin, long s and Ångström signs). */
function otherCases(code: number): readonly number[] {
  const text = String.fromCodePoint(code);
  const cases = [text.toLowerCase(), text.toUpperCase(), text.toUpperCase().toLowerCase()];
  const extra: Readonly<Record<string, string>> = { k: '\u212A', s: '\u017F', å: '\u212B' };
  cases.push(extra[text.toLowerCase()] ?? text);
  return cases
    .filter((one) => one !== text && one.length === String.fromCodePoint(one.codePointAt(0) ?? 0).length)
    .map((one) => one.codePointAt(0) ?? code);
}

/** `\p{Greek}`, `\p{Lu}`, `\pL`: the platform's tables decide, one character at a time. */
export function unicodeClass(name: string, negated: boolean, fold: boolean): CharMatch {
  if (name === 'Any') return () => !negated;
  let tested: RegExp;
  try {
    tested = new RegExp(/^[A-Z][a-z]?$/.test(name) ? `^\\p{General_Category=${name}}$` : `^\\p{Script=${name}}$`, 'u');
  } catch (error) {
    throw new RegexSyntaxError(`invalid character class range: \`\\p{${name}}\``, { cause: error });
  }
  const has = (code: number) => tested.test(String.fromCodePoint(code));
  return (code) => (has(code) || (fold && otherCases(code).some(has))) !== negated;
}
