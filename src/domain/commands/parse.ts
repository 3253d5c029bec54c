import type { TargetText } from '../target.ts';
import { parsePercent } from '../words/percent.ts';
import { type Arguments, extraWord, misunderstood, readArguments, replaceWord } from './arguments.ts';
import { notATarget, readByVerb, replaceText } from './by-verb.ts';
import type { ChangeOptions, Command, Misunderstanding } from './command.ts';
import { parseEncryptionText } from './encryption.ts';
import { percentProblem } from './flags.ts';
import { parseAb, parseGuarding } from './guarding.ts';
import { HELP_AREAS, PLANNED } from './help.ts';
import { nearest } from './nearest.ts';
import { parsePolicyText } from './policy.ts';
import { type CommandSpec, usageOf } from './spec.ts';
import { formatTargetText, parseTargetText, quoted } from './target-text.ts';
import { AREAS, firstWords, shortName, VERBS, verbOf, verbsIn } from './verbs.ts';
import { splitWords, type Word } from './words.ts';

/** Which slash command the text came with. */
export type Root = 'mesh' | 'policy' | 'encryption';

/** What ends in free text. */
const GUARDING: readonly string[] = ['freeze', 'unfreeze', 'release', 'review'];
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
  encryption: parseEncryptionText,
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
  if (GUARDING.includes(verb.name)) return parseGuarding(verb, words);
  return verb.name === 'abort' ? parseAbort(words, verb) : parseWith(verb, words);
}

/** A correction of what stands behind an area's word, with that word before it. */
function inArea(area: string, answer: Command | Misunderstanding): Command | Misunderstanding {
  return answer.kind === 'misunderstood' && answer.didYouMean !== undefined
    ? { ...answer, didYouMean: `${area} ${answer.didYouMean}` }
    : answer;
}

function parseWith(verb: CommandSpec, words: readonly Word[]): Command | Misunderstanding {
  const given = readArguments(words, verb);
  if ('kind' in given) return given;
  if (verb.read) return readByVerb(words, given, verb, verb.read);
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
      const { options } = given;
      const filter = name === 'history' && Object.keys(options).length > 0 ? { filter: options } : {};
      return given.plain.length === 0
        ? { kind: name, ...filter }
        : onlyService(words, given, verb, (service) => ({ kind: name, service, ...filter }));
    }
    case 'doctor': {
      const [extra] = given.plain;
      return extra ? extraWord(words, extra, given.options, verb) : { kind: 'doctor' };
    }
    case 'help':
      return parseHelp(words, given);
    // Free texts and the verbs of an area have been read before this point.
    default:
      return parseAbort(words, verb);
  }
}

function parseCanary(words: readonly Word[], { plain, options }: Arguments, verb: CommandSpec): Command | Misunderstanding {
  const [first, second, sign] = plain.map(({ text }) => text);
  if (first === undefined)
    return { ...misunderstood('Canary of which service, how much? `canary backend 10%`'), form: { command: verb.name } };
  // Only a percent carries the sign, so with it the order is plain: `canary 10% backend` is understood.
  const swapped = second !== undefined && first.endsWith('%') && !second.endsWith('%');
  const [serviceText, percentText] = swapped ? [second, first] : [first, second];
  const spread = sign === '%' && percentText !== undefined && !percentText.endsWith('%');
  const extra = plain.length > (spread ? 3 : 2) ? plain[spread ? 3 : 2] : undefined;
  if (extra) return extraWord(words, extra, options, verb);
  if (serviceText.endsWith('%')) return misunderstood(`\`canary\` needs a service before ${quoted(serviceText)}: \`${usageOf(verb)}\``);
  const service = parseTargetText(serviceText);
  if ('words' in service) return notATarget(words, serviceText, service.words, service.nearest);
  if (percentText === undefined) {
    const words = `How much? \`canary ${formatTargetText(service)}\` needs a percent, 0% to 100%.`;
    return { ...misunderstood(words), form: { command: verb.name, target: service } };
  }
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
  verb: CommandSpec,
  command: (service: TargetText, options: ChangeOptions) => Command,
): Command | Misunderstanding {
  const [first, extra] = plain;
  if (!first) return misunderstood(`\`${verb.name}\` needs a service: \`${usageOf(verb)}\``);
  if (extra) return extraWord(words, extra, options, verb);
  const service = parseTargetText(first.text);
  return 'words' in service ? notATarget(words, first.text, service.words, service.nearest) : command(service, options);
}

/** The reason is free text, so nothing in it is an option, except a leading `--reason`. */
function parseAbort(words: readonly Word[], verb: CommandSpec): Command | Misunderstanding {
  const [, first, ...rest] = words;
  if (!first) return misunderstood(`\`abort\` needs an operation or a service: \`${usageOf(verb)}\``);
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
  const topics: readonly string[] = [...VERBS.map(({ name }) => name), ...HELP_AREAS];
  if (topics.includes(topic)) return { kind: 'help', topic };
  const first = plain[0]?.text.toLowerCase() ?? '';
  if (topics.includes(first) && !HELP_AREAS.some((area) => area === first)) return { kind: 'help', topic: first };
  const near = nearest(topic, topics);
  const sentence = `There is no help on ${quoted(topic)}; there is on ${firstWords().join(', ')}.`;
  return misunderstood(sentence, near === undefined ? undefined : replaceWord(words, 1, words.length - 1, ...near.split(' ')));
}

function unknownVerb(words: readonly Word[], typed: string): Misunderstanding {
  const instead = Object.hasOwn(PLANNED, typed) ? PLANNED[typed] : undefined;
  if (instead) return { ...misunderstood(`${quoted(typed)} is not there yet.`), instead };
  const today = firstWords().join(', ');
  const area = AREAS.find((one) => verbsIn(one).some((verb) => shortName(verb) === typed));
  if (area) {
    const sentence = `There is no verb ${quoted(typed)} by itself; it belongs to \`${area}\`.`;
    return misunderstood(sentence, replaceWord(words, 0, 1, area, typed));
  }
  const synonym = Object.hasOwn(SYNONYMS, typed) ? SYNONYMS[typed] : undefined;
  const near = synonym ?? nearest(typed, firstWords());
  // A list of all says little beside the one that was meant.
  const sentence = `There is no verb ${quoted(typed)}.${near === undefined ? ` There are: ${today}.` : ''}`;
  return misunderstood(sentence, near === undefined ? undefined : replaceWord(words, 0, 1, near));
}
