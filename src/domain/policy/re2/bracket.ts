import { type CharMatch, inRanges, PERL, POSIX } from './classes.ts';
import { parseUnicodeName, readEscape } from './escape.ts';
import { RegexSyntaxError } from './node.ts';
import type { Reader } from './reader.ts';

/** `[a-z[:digit:]\s]`; the reader stands on the bracket. */
export function parseBracket(reader: Reader, fold: boolean): CharMatch {
  const { text } = reader;
  reader.next();
  const negated = reader.take('^');
  const members: CharMatch[] = [];
  // A closing bracket that comes first is a member.
  for (let isFirst = true; isFirst || !reader.at(']'); isFirst = false) {
    if (reader.done) throw new RegexSyntaxError(`missing closing ]: \`${text}\``);
    members.push(named(reader, fold) ?? span(reader, fold));
  }
  reader.next();
  return (code) => members.some((has) => has(code)) !== negated;
}

function named(reader: Reader, fold: boolean): CharMatch | undefined {
  const posix = reader.takeMatch(/\[:(\^?)(.*?):\]/sy);
  if (posix) return class_(POSIX[posix[2] ?? ''], posix[1] === '^', fold, posix[0]);
  const perl = reader.takeMatch(/\\([dswDSW])/y)?.[1];
  if (perl !== undefined) return class_(PERL[perl.toLowerCase()], perl !== perl.toLowerCase(), fold, perl);
  return parseUnicodeName(reader, fold);
}

function class_(ranges: Parameters<typeof inRanges>[0] | undefined, negated: boolean, fold: boolean, written: string): CharMatch {
  if (!ranges) throw new RegexSyntaxError(`invalid character class range: \`${written}\``);
  const has = inRanges(ranges, fold);
  return negated ? (code) => !has(code) : has;
}

function span(reader: Reader, fold: boolean): CharMatch {
  const from = letter(reader);
  const isRange = reader.at('-') && !reader.at('-]');
  if (!isRange) return inRanges([[from, from]], fold);
  reader.next();
  if (reader.done) throw new RegexSyntaxError(`missing closing ]: \`${reader.text}\``);
  const to = letter(reader);
  if (to < from) throw new RegexSyntaxError('invalid character class range');
  return inRanges([[from, to]], fold);
}

function letter(reader: Reader): number {
  return reader.at('\\') ? readEscape(reader) : (reader.next().codePointAt(0) ?? 0);
}
