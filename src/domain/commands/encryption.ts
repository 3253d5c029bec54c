import { rightForm } from '../encryption/wrong-forms.ts';
import { misunderstood, readArguments, replaceWord } from './arguments.ts';
import { readByVerb } from './by-verb.ts';
import type { Command, EncryptionCommand, Misunderstanding } from './command.ts';
import { nearest } from './nearest.ts';
import { usageOf } from './spec.ts';
import { isLabel, quoted } from './target-text.ts';
import { shortName, verbOf, verbsIn } from './verbs.ts';
import { splitWords, type Word } from './words.ts';

const LONGEST_TEXT = 2_000;

/** Words that other tools use. Only suggested, never obeyed. */
const SYNONYMS: Readonly<Record<string, string>> = {
  state: 'status',
  list: 'status',
  ls: 'status',
  show: 'status',
  check: 'status',
  advice: 'advise',
  recommend: 'advise',
  which: 'advise',
  enable: 'on',
  disable: 'off',
};

/** What is typed for changes that are not there. */
const NOT_YET: readonly string[] = ['rotate', 'strict', 'node-to-node', 'mtls'];

/** Reads what stands behind `/encryption` or `/mesh encryption`. Total. */
export function parseEncryptionText(text: string): Command | Misunderstanding {
  if (text.length > LONGEST_TEXT) return misunderstood(`That is ${text.length} characters; a command has at most ${LONGEST_TEXT}.`);
  const right = rightForm(text);
  if (right !== undefined) return misunderstood(right, [{ text: 'advise', quoted: false }]);
  const words = splitWords(text);
  if ('unclosed' in words) return misunderstood(`The quote that opens with ${quoted(words.unclosed)} is never closed.`);
  const typed = (words[0]?.text ?? '').toLowerCase();
  const asksHelp = words.some(({ text: word, quoted: inQuotes }) => !inQuotes && (word === '--help' || word === '-h'));
  if (typed === '' || typed === 'help' || typed.startsWith('-')) return { kind: 'help', topic: topicOf(words) };
  const verb = verbOf(`encryption ${typed}`);
  if (!verb) return unknownVerb(words, typed);
  if (asksHelp) return { kind: 'help', topic: verb.name };
  const given = readArguments(words, verb);
  if ('kind' in given) return given;
  if (verb.read) return readByVerb(words, given, verb, verb.read);
  const [cluster, extra] = given.plain;
  const kind = verb.name as EncryptionCommand['kind'];
  if (extra) return misunderstood(`${quoted(extra.text)} is one word too many: \`${usageOf(verb)}\``, words.slice(0, 2));
  if (!cluster) return { kind };
  if (isLabel(cluster.text)) return { kind, cluster: cluster.text };
  const lower = cluster.text.toLowerCase();
  const near = isLabel(lower) ? replaceWord(words, words.indexOf(cluster), 1, lower) : undefined;
  return misunderstood(`${quoted(cluster.text)} is not the name of a cluster.`, near);
}

function topicOf(words: readonly Word[]): string {
  const name = `encryption ${words[1]?.text.toLowerCase() ?? ''}`;
  return verbOf(name)?.name ?? 'encryption';
}

function unknownVerb(words: readonly Word[], typed: string): Misunderstanding {
  const names = verbsIn('encryption').map(shortName);
  if (NOT_YET.includes(typed)) {
    return misunderstood(
      `\`encryption ${typed}\` is not there. \`advise\` shows the Helm values for it; \`status\` shows what runs.`,
      replaceWord(words, 0, words.length, 'advise'),
    );
  }
  const near = (Object.hasOwn(SYNONYMS, typed) ? SYNONYMS[typed] : undefined) ?? nearest(typed, names);
  const sentence = `There is no encryption verb ${quoted(typed)}. There are: ${names.join(', ')}.`;
  return misunderstood(sentence, near === undefined ? undefined : replaceWord(words, 0, 1, near));
}
