import type { TargetText } from '../target.ts';
import { extraWord, misunderstood, nearly, readArguments, wrongWord } from './arguments.ts';
import { readByVerb } from './by-verb.ts';
import type { ChangeOptions, Command, Misunderstanding, WorkloadCommandName } from './command.ts';
import { nearest } from './nearest.ts';
import { parseQuestion } from './question.ts';
import { type CommandSpec, usageOf } from './spec.ts';
import { isLabel, parseTargetText, quoted } from './target-text.ts';
import { shortName, verbOf, verbsIn } from './verbs.ts';
import { splitWords, type Word } from './words.ts';

/** A command is at most this long; a flow as JSON may be longer. Characters. */
const LONGEST_TEXT = 2_000;
const LONGEST_FLOW = 16_000;

/** Words that other tools use. Only suggested, never obeyed. */
const SYNONYMS: Readonly<Record<string, string>> = {
  apply: 'enforce',
  rollout: 'enforce',
  lint: 'check',
  validate: 'check',
  'dry-run': 'dryrun',
  simulate: 'dryrun',
  test: 'dryrun',
  generate: 'learn',
  propose: 'learn',
  audit: 'observe',
  shadow: 'observe',
  remove: 'delete',
  rollback: 'relax',
  undo: 'relax',
  why: 'explain',
  trace: 'explain',
  list: 'status',
  ls: 'status',
};

/** Reads what stands behind `/policy` or `/mesh policy`. A correction is a text that may stand there. Total. */
export function parsePolicyText(text: string): Command | Misunderstanding {
  const behind = /^\s*explain\s+([\s\S]*)$/i.exec(text)?.[1];
  if (behind?.trimStart().startsWith('{')) {
    if (behind.length > LONGEST_FLOW) return misunderstood(`That flow has ${behind.length} characters; at most ${LONGEST_FLOW} are read.`);
    return asExplain(parseQuestion(behind));
  }
  if (text.length > LONGEST_TEXT) return misunderstood(`That is ${text.length} characters; a command has at most ${LONGEST_TEXT}.`);
  const words = splitWords(text);
  if ('unclosed' in words) return misunderstood(`The quote that opens with ${quoted(words.unclosed)} is never closed.`);
  const typed = (words[0]?.text ?? '').toLowerCase();
  if (typed === '' || typed === '--help' || typed === '-h') return { kind: 'help', topic: 'policy' };
  if (typed === 'help') return helpOn(words);
  const verb = verbOf(`policy ${typed}`);
  if (!verb) return unknownVerb(words, typed);
  if (words.slice(1).some(({ text: word, quoted: inQuotes }) => !inQuotes && (word === '--help' || word === '-h'))) {
    return { kind: 'help', topic: verb.name };
  }
  if (verb.name === 'policy explain') return asExplain(parseQuestion(behind ?? ''));
  return parseWith(verb, words);
}

function parseWith(verb: CommandSpec, words: readonly Word[]): Command | Misunderstanding {
  const given = readArguments(words, verb);
  if ('kind' in given) return given;
  const { plain, options } = given;
  if (options.steps?.some((step, index) => step <= (options.steps?.[index - 1] ?? 0))) {
    return misunderstood('`--steps` of a policy rise: each names the share of the pods that is under it, such as 10,50,100.');
  }
  if (verb.read) return readByVerb(words, given, verb, verb.read);
  const [first, extra] = plain;
  if (!first) {
    if (verb.name === 'policy status') return { kind: 'policy status' };
    if (verb.name === 'policy enforce')
      return { ...misunderstood('Which workload? `policy enforce frontend`'), form: { command: verb.name } };
    return misunderstood(`\`${verb.name}\` needs ${verb.name === 'policy bootstrap' ? 'a namespace' : 'a workload'}: \`${usageOf(verb)}\``);
  }
  if (extra) return extraWord(words, extra, options, verb);
  if (verb.name === 'policy bootstrap') return bootstrap(words, first, options);
  const workload = parseTargetText(first.text);
  if ('words' in workload) return wrongWord(words, first.text, workload);
  return verb.name === 'policy status' ? { kind: 'policy status', workload } : onWorkload(verb, workload, options);
}

function onWorkload(verb: CommandSpec, workload: TargetText, options: ChangeOptions): Command {
  return { kind: verb.name as WorkloadCommandName, workload, options };
}

function bootstrap(words: readonly Word[], first: Word, options: ChangeOptions): Command | Misunderstanding {
  const parts = first.text.split('/');
  const [namespace = '', cluster] = parts.toReversed();
  if (parts.length <= 2 && parts.every(isLabel)) {
    return { kind: 'policy bootstrap', namespace, ...(cluster === undefined ? {} : { cluster }), options };
  }
  const lower = first.text.toLowerCase();
  const near = parts.length <= 2 && lower.split('/').every(isLabel) ? lower : undefined;
  return nearly(`${quoted(first.text)} is not a namespace: write [cluster/]namespace.`, words, [words.indexOf(first), 1], near);
}

function asExplain(question: ReturnType<typeof parseQuestion>): Command | Misunderstanding {
  return question.kind === 'misunderstood' ? question : { kind: 'policy explain', question };
}

function helpOn(words: readonly Word[]): Command | Misunderstanding {
  const topic = words[1]?.text.toLowerCase();
  const area = 'policy';
  if (topic === undefined || topic === area) return { kind: 'help', topic: area };
  const names = verbsIn('policy').map(shortName);
  if (names.includes(topic)) return { kind: 'help', topic: `policy ${topic}` };
  const near = nearest(topic, names);
  return nearly(`There is no help on ${quoted(topic)}; there is on ${names.join(', ')}.`, words, [1, words.length - 1], near);
}

function unknownVerb(words: readonly Word[], typed: string): Misunderstanding {
  const names = verbsIn('policy').map(shortName);
  const near = (Object.hasOwn(SYNONYMS, typed) ? SYNONYMS[typed] : undefined) ?? nearest(typed, [...names, 'help']);
  const sentence = `There is no policy verb ${quoted(typed)}.${near === undefined ? ` There are: ${names.join(', ')}.` : ''}`;
  return nearly(sentence, words, [0, 1], near);
}
