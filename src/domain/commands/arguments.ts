import type { ChangeOptions, FlagName, Misunderstanding } from './command.ts';
import { BARE_FLAGS, FLAG_NAMES, FLAGS, isUnitWord } from './flags.ts';
import { nearest } from './nearest.ts';
import { type CommandSpec, usageOf } from './spec.ts';
import { quoted } from './target-text.ts';
import { joinWords, type Word } from './words.ts';

/** The words behind a verb, sorted into plain ones and options. */
export interface Arguments {
  readonly plain: readonly Word[];
  readonly options: ChangeOptions;
}

/** A text that is no command, with the words that would be nearer to one. */
export function misunderstood(words: string, correction?: readonly Word[]): Misunderstanding {
  return { kind: 'misunderstood', words, ...(correction === undefined ? {} : { didYouMean: joinWords(correction) }) };
}

/** The same, where one text (or none) is nearer: it would stand in the place of `count` words. */
export function nearly(
  sentence: string,
  words: readonly Word[],
  [index, count]: readonly [number, number],
  near?: string,
): Misunderstanding {
  return misunderstood(sentence, near === undefined ? undefined : replaceWord(words, index, count, ...near.split(' ')));
}

/** What is wrong with one of the words behind the verb. */
export function wrongWord(
  words: readonly Word[],
  typed: string,
  problem: { readonly words: string; readonly nearest?: string },
): Misunderstanding {
  const index = words.findIndex(({ text }, position) => position > 0 && text === typed);
  return nearly(problem.words, words, [index, 1], problem.nearest);
}

export function replaceWord(words: readonly Word[], index: number, count: number, ...by: readonly string[]): readonly Word[] {
  return words.toSpliced(index, count, ...by.map((text) => ({ text, quoted: false })));
}

interface Flag {
  readonly name: string;
  readonly value: string | undefined;
  /** Words that the flag and its value take up. */
  readonly count: number;
}

/** Sorts `words` (the verb first) into plain words and options. */
export function readArguments(words: readonly Word[], verb: CommandSpec): Arguments | Misunderstanding {
  const plain: Word[] = [];
  let options: ChangeOptions = {};
  const seen = new Set<string>();
  for (let at = 1; at < words.length; ) {
    const word = words[at];
    if (!word || word.quoted || !/^-+\p{L}|^--/u.test(word.text)) {
      if (word) plain.push(word);
      at += 1;
      continue;
    }
    const flag = readFlag(words, at);
    const name = flagNamed(words, at, flag, verb);
    if (typeof name !== 'string') return name;
    if (seen.has(name)) return misunderstood(`\`--${name}\` is given twice: give it once.`);
    seen.add(name);
    if (BARE_FLAGS.includes(name) && flag.value !== '') {
      return misunderstood(`\`--${name}\` stands alone.`, replaceWord(words, at, flag.count, `--${name}`));
    }
    if (flag.value === undefined) return misunderstood(`\`--${name}\` needs a value: \`${usageOf(verb)}\``);
    const value = FLAGS[name](flag.value);
    if (value.kind === 'refused') {
      const correction = value.nearest === undefined ? undefined : replaceWord(words, at, flag.count, `--${name}`, value.nearest);
      return misunderstood(value.words, correction);
    }
    options = { ...options, ...value.options };
    at += flag.count;
  }
  return { plain, options };
}

/** `--name=value`, `--name value`, and values people spread over words: `5, 10, 25` and `2 minutes`. */
function readFlag(words: readonly Word[], at: number): Flag {
  const [, name = '', inline] = /^-+([^=]*)(?:=(.*))?$/s.exec(words[at]?.text ?? '') ?? [];
  let count = 1;
  if (BARE_FLAGS.some((bare) => bare === name.toLowerCase())) return { name, value: inline ?? '', count };
  let value = inline;
  const next = (): Word | undefined => words[at + count];
  if (value === undefined) {
    const word = next();
    if (!word || (!word.quoted && /^-+\p{L}/u.test(word.text))) return { name, value: undefined, count };
    value = word.text;
    count += 1;
  }
  for (let word = next(); word && !word.quoted; word = next()) {
    const apart: boolean = /^\d+(\.\d+)?$/.test(value) && isUnitWord(word.text);
    const list = (value.endsWith(',') || word.text.startsWith(',')) && /^[\d.,%]+$/.test(word.text);
    if (!apart && !list) break;
    value = apart ? `${value} ${word.text}` : value + word.text;
    count += 1;
    if (apart) break;
  }
  return { name, value, count };
}

function flagNamed(words: readonly Word[], at: number, flag: Flag, verb: CommandSpec): FlagName | Misunderstanding {
  const typed = words[at]?.text ?? '';
  const lower = flag.name.toLowerCase();
  const known = FLAG_NAMES.find((name) => name === lower);
  const takes =
    verb.flags.length === 0
      ? `\`${verb.name}\` takes no options.`
      : `\`${verb.name}\` takes ${verb.flags.map((name) => `--${name}`).join(', ')}.`;
  if (known && !verb.flags.includes(known)) {
    return misunderstood(`\`--${known}\` means nothing to \`${verb.name}\`. ${takes}`, replaceWord(words, at, flag.count));
  }
  if (known && typed.startsWith('--') && !typed.startsWith('---')) return known;
  const near = known ?? nearest(lower, verb.flags);
  const shown = quoted(typed.split('=')[0] ?? '');
  if (near === undefined) return misunderstood(`There is no option ${shown}. ${takes}`);
  const rest = typed.includes('=') ? typed.slice(typed.indexOf('=')) : '';
  return misunderstood(`There is no option ${shown}. ${takes}`, replaceWord(words, at, 1, `--${near}${rest}`));
}

/** What stands behind all that is read; a reason without quotes is the usual cause, and then corrected. */
export function extraWord(words: readonly Word[], extra: Word, options: ChangeOptions, verb: CommandSpec): Misunderstanding {
  if (options.reason === undefined) return misunderstood(`${quoted(extra.text)} is one word too many: \`${usageOf(verb)}\``);
  const quoteFrom = words.findIndex(({ text }) => text.startsWith('--reason'));
  const tail = words.slice(quoteFrom).map(({ text }) => text);
  const reason = tail.join(' ').replace(/^--reason[ =]/, '');
  const correction = reason.includes('--')
    ? undefined
    : [...replaceWord(words, quoteFrom, tail.length, '--reason'), { text: reason, quoted: true }];
  return misunderstood(`${quoted(extra.text)} is one word too many. Put a reason of several words in quotes.`, correction);
}
