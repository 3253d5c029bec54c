import type { ChangeOptions, Command, Misunderstanding } from '../command.ts';
import { parsePercent } from '../percent.ts';
import type { TargetText } from '../target.ts';
import { AREAS, firstWords, LATER, shortName, VERBS, type Verb, verbOf, verbsIn } from '../verbs.ts';
import { type Arguments, misunderstood, readArguments, replaceWord } from './arguments.ts';
import { percentProblem } from './flags.ts';
import { parseAb, parseGuarding } from './guarding.ts';
import { nearest } from './nearest.ts';
import { parsePolicyText } from './policy.ts';
import { formatTargetText, parseTargetText, quoted } from './target-text.ts';
import { splitWords, type Word } from './words.ts';

/** Which slash command the text came with. */
export type Root = 'mesh' | 'policy' | 'encryption';

/** Slack itself ends a message at 40,000 characters; no command is near this. */
const LONGEST_TEXT = 2_000;

/** Words that other tools use for what a verb does. Only suggested, never obeyed. */
const SYNONYMS: Readonly<Record<string, string>> = {
  shift: 'canary',
  set: 'canary',
  weight: 'canary',
  deploy: 'canary',
  undo: 'rollback',
  revert: 'rollback',
  restore: 'rollback',
  stop: 'abort',
  cancel: 'abort',
  kill: 'abort',
  finish: 'promote',
  ls: 'status',
  list: 'status',
  state: 'status',
};

/**
 * Reads what a person typed behind a slash command. Total: any text gives a command or one friendly sentence. A correction in
 * `didYouMean` is always a text that this function reads as a command; it is never obeyed by itself.
 */
export function parseCommand(text: string, { root }: { readonly root: Root }): Command | Misunderstanding {
  const first = parseOnce(text, root);
  if (first.kind !== 'misunderstood' || first.didYouMean === undefined) return first;
  let correction: string = first.didYouMean;
  // A text may hold several slips; each round mends one.
  for (let round = 0; round < 6; round += 1) {
    const again = parseOnce(correction, root);
    if (again.kind !== 'misunderstood') return { ...first, didYouMean: correction };
    if (again.didYouMean === undefined || again.didYouMean === correction) break;
    correction = again.didYouMean;
  }
  return { kind: 'misunderstood', words: first.words };
}

/** Who reads what stands behind the word, or behind the slash command, of an area. */
const IN_AREA: Readonly<Record<Exclude<Root, 'mesh'>, (text: string) => Command | Misunderstanding>> = {
  policy: parsePolicyText,
  encryption: () => ({ kind: 'help', topic: 'encryption' }),
};

function parseOnce(text: string, root: Root): Command | Misunderstanding {
  if (root !== 'mesh') return IN_AREA[root](text);
  // A flow as JSON is longer than any command, and its quotes are not a command's: so an area reads its own text.
  const [, first = '', behind] = /^\s*(\S+)\s+([\s\S]*)$/.exec(text) ?? [];
  const area = AREAS.find((one) => one === first.toLowerCase());
  if (area && behind !== undefined) return inArea(area, IN_AREA[area](behind));
  if (text.length > LONGEST_TEXT) return misunderstood(`That is ${text.length} characters; a command has at most ${LONGEST_TEXT}.`);
  const words = splitWords(text);
  if ('unclosed' in words) return misunderstood(`The quote that opens with ${quoted(words.unclosed)} is never closed.`);
  const typed = (words[0]?.text ?? '').toLowerCase();
  if (typed === '' || typed === '--help' || typed === '-h') return { kind: 'help' };
  if (Object.hasOwn(IN_AREA, typed)) return { kind: 'help', topic: typed };
  const verb = typed.includes(' ') ? undefined : verbOf(typed);
  if (!verb) return unknownVerb(words, typed);
  if (words.slice(1).some(({ text: word, quoted: inQuotes }) => !inQuotes && (word === '--help' || word === '-h'))) {
    return verb.name === 'help' ? { kind: 'help' } : { kind: 'help', topic: verb.name };
  }
  if (verb.name === 'freeze' || verb.name === 'unfreeze' || verb.name === 'release') return parseGuarding(verb, words);
  return verb.name === 'abort' ? parseAbort(words, verb) : parseWith(verb, words);
}

/** A correction of what stands behind an area's word, with that word before it. */
function inArea(area: string, answer: Command | Misunderstanding): Command | Misunderstanding {
  return answer.kind === 'misunderstood' && answer.didYouMean !== undefined
    ? { ...answer, didYouMean: `${area} ${answer.didYouMean}` }
    : answer;
}

function parseWith(verb: Verb, words: readonly Word[]): Command | Misunderstanding {
  const given = readArguments(words, verb);
  if ('kind' in given) return given;
  switch (verb.name) {
    case 'canary':
      return parseCanary(words, given, verb);
    case 'promote':
    case 'rollback':
      return onlyService(words, given, verb, (service, options) => ({ kind: verb.name as 'promote' | 'rollback', service, options }));
    case 'ab':
      return parseAb(verb, words, given);
    case 'status':
    case 'history': {
      const { name } = verb;
      return given.plain.length === 0 ? { kind: name } : onlyService(words, given, verb, (service) => ({ kind: name, service }));
    }
    case 'doctor': {
      const [extra] = given.plain;
      return extra ? extraWord(words, extra, given.options, verb) : { kind: 'doctor' };
    }
    case 'help':
      return parseHelp(words, given);
    // Free texts and the verbs of an area have been read before this point.
    case 'abort':
    case 'freeze':
    case 'unfreeze':
    case 'release':
    case 'policy enforce':
    case 'policy check':
    case 'policy dryrun':
    case 'policy learn':
    case 'policy observe':
    case 'policy relax':
    case 'policy explain':
    case 'policy status':
    case 'policy bootstrap':
      return parseAbort(words, verb);
  }
}

function parseCanary(words: readonly Word[], { plain, options }: Arguments, verb: Verb): Command | Misunderstanding {
  const [first, second, sign] = plain.map(({ text }) => text);
  if (first === undefined) return misunderstood(`\`canary\` needs a service and a percent: ${verb.grammar}`);
  // Only a percent carries the sign, so with it the order is plain: `canary 10% backend` is understood.
  const swapped = second !== undefined && first.endsWith('%') && !second.endsWith('%');
  const [serviceText, percentText] = swapped ? [second, first] : [first, second];
  const spread = sign === '%' && percentText !== undefined && !percentText.endsWith('%');
  const extra = plain.length > (spread ? 3 : 2) ? plain[spread ? 3 : 2] : undefined;
  if (extra) return extraWord(words, extra, options, verb);
  if (serviceText.endsWith('%')) return misunderstood(`\`canary\` needs a service before ${quoted(serviceText)}: ${verb.grammar}`);
  const service = parseTargetText(serviceText);
  if ('words' in service) return notATarget(words, serviceText, service.words, service.nearest);
  if (percentText === undefined) return misunderstood(`How much? \`canary ${formatTargetText(service)}\` needs a percent, 0% to 100%.`);
  const percent = parsePercent(spread ? `${percentText}%` : percentText);
  if (typeof percent === 'string') {
    const { words: sentence, nearest: near } = percentProblem('`canary`', percentText, percent);
    return misunderstood(sentence, near === undefined ? undefined : replaceText(words, percentText, near));
  }
  const beyond = options.steps?.find((step) => step > percent && (options.steps?.[0] ?? 0) < percent);
  if (beyond !== undefined) return misunderstood(`\`--steps\` goes to ${beyond}%, beyond the ${percent}% that was asked for.`);
  return { kind: 'canary', service, percent, options };
}

function onlyService(
  words: readonly Word[],
  { plain, options }: Arguments,
  verb: Verb,
  command: (service: TargetText, options: ChangeOptions) => Command,
): Command | Misunderstanding {
  const [first, extra] = plain;
  if (!first) return misunderstood(`\`${verb.name}\` needs a service: ${verb.grammar}`);
  if (extra) return extraWord(words, extra, options, verb);
  const service = parseTargetText(first.text);
  return 'words' in service ? notATarget(words, first.text, service.words, service.nearest) : command(service, options);
}

/** The reason is free text, so nothing in it is an option, except a leading `--reason`. */
function parseAbort(words: readonly Word[], verb: Verb): Command | Misunderstanding {
  const [, first, ...rest] = words;
  if (!first) return misunderstood(`\`abort\` needs an operation or a service: ${verb.grammar}`);
  const target = parseTargetText(first.text);
  if ('words' in target) return notATarget(words, first.text, target.words, target.nearest);
  const reason = rest
    .map(({ text }) => text)
    .join(' ')
    .replace(/^--reason[ =]/, '')
    .trim();
  if (reason.length > 300) return misunderstood(`The reason has ${reason.length} characters; it may have 300.`);
  return { kind: 'abort', operation: formatTargetText(target), ...(reason === '' ? {} : { reason }) };
}

function parseHelp(words: readonly Word[], { plain }: Arguments): Command | Misunderstanding {
  const topic = plain
    .slice(0, 2)
    .map(({ text }) => text.toLowerCase())
    .join(' ');
  if (topic === '') return { kind: 'help' };
  const topics: readonly string[] = [...VERBS.map(({ name }) => name), ...AREAS, ...Object.keys(LATER)];
  if (topics.includes(topic)) return { kind: 'help', topic };
  const first = plain[0]?.text.toLowerCase() ?? '';
  if (topics.includes(first) && first !== 'policy') return { kind: 'help', topic: first };
  const near = nearest(topic, topics);
  const sentence = `There is no help on ${quoted(topic)}; there is on ${firstWords().join(', ')}.`;
  return misunderstood(sentence, near === undefined ? undefined : replaceWord(words, 1, words.length - 1, ...near.split(' ')));
}

function unknownVerb(words: readonly Word[], typed: string): Misunderstanding {
  const today = firstWords().join(', ');
  if (verbsIn('policy').some((verb) => shortName(verb) === typed)) {
    return misunderstood(
      `There is no verb ${quoted(typed)} by itself; it belongs to \`policy\`.`,
      replaceWord(words, 0, 1, 'policy', typed),
    );
  }
  if (Object.hasOwn(LATER, typed)) return misunderstood(`${LATER[typed]}: \`${typed}\` is not there yet. What there is today: ${today}.`);
  const synonym = Object.hasOwn(SYNONYMS, typed) ? SYNONYMS[typed] : undefined;
  const near = synonym ?? nearest(typed, [...firstWords(), 'encryption']);
  const sentence = `There is no verb ${quoted(typed)}. There are: ${today}.`;
  return misunderstood(sentence, near === undefined ? undefined : replaceWord(words, 0, 1, near));
}

function extraWord(words: readonly Word[], extra: Word, options: ChangeOptions, verb: Verb): Misunderstanding {
  if (options.reason === undefined) return misunderstood(`${quoted(extra.text)} is one word too many: ${verb.grammar}`);
  const quoteFrom = words.findIndex(({ text }) => text.startsWith('--reason'));
  const tail = words.slice(quoteFrom).map(({ text }) => text);
  const reason = tail.join(' ').replace(/^--reason[ =]/, '');
  const correction = reason.includes('--')
    ? undefined
    : [...replaceWord(words, quoteFrom, tail.length, '--reason'), { text: reason, quoted: true }];
  return misunderstood(`${quoted(extra.text)} is one word too many. A reason of several words stands in quotes.`, correction);
}

function notATarget(words: readonly Word[], typed: string, sentence: string, near?: string): Misunderstanding {
  return misunderstood(sentence, near === undefined ? undefined : replaceText(words, typed, near));
}

function replaceText(words: readonly Word[], typed: string, by: string): readonly Word[] {
  const index = words.findIndex(({ text }, position) => position > 0 && text === typed);
  return replaceWord(words, index, 1, by);
}
