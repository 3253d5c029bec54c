import { isScope } from '../lifecycle/freeze.ts';
import { formatDuration, LONGEST_MS, parseDuration } from '../words/duration.ts';
import { type Arguments, misunderstood, nearly, wrongWord } from './arguments.ts';
import type { Command, Misunderstanding } from './command.ts';
import { type CommandSpec, usageOf } from './spec.ts';
import { parseTargetText, quoted } from './target-text.ts';
import type { Word } from './words.ts';

const LONGEST_REASON = 300;
/** RFC 9110 token, as Gateway API takes it for a header name (HTTPHeaderName: at most 256 characters). */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+\-.^_|~]{1,256}$/;
/** Headers that mean something to every hop, or that gateways set themselves: a match on them would not be what people think. */
const NOT_FOR_AB = ['host', ':authority', 'connection', 'content-length', 'transfer-encoding'];

/** `freeze`, `unfreeze` and `release` end in free text, so nothing in it is an option. */
export function parseGuarding(verb: CommandSpec, words: readonly Word[]): Command | Misunderstanding {
  if (verb.name === 'freeze') return parseFreeze(verb, words);
  if (verb.name === 'unfreeze') return parseUnfreeze(verb, words);
  return verb.name === 'review' ? parseReview(verb, words) : parseRelease(verb, words);
}

function parseFreeze(verb: CommandSpec, words: readonly Word[]): Command | Misunderstanding {
  const [, scope, duration, ...rest] = words;
  if (!scope) return { kind: 'freeze' };
  const problem = scopeProblem(words, scope.text);
  if (problem) return problem;
  const durationMs = duration && parseDuration(duration.text);
  if (!duration || durationMs === undefined || durationMs < 1_000) {
    const typed = duration ? `; ${quoted(duration.text)} is not one` : '';
    return misunderstood(
      `\`freeze\` needs a duration such as 30m or 2h, up to ${formatDuration(LONGEST_MS)}${typed}: \`${usageOf(verb)}\``,
    );
  }
  const reason = textOf(rest);
  if (reason === '') return misunderstood(`\`freeze\` needs a reason, for everybody who is stopped by it: \`${usageOf(verb)}\``);
  if (reason.length > LONGEST_REASON) return tooLong(reason);
  return { kind: 'freeze', set: { scope: scope.text, durationMs, reason } };
}

function parseUnfreeze(verb: CommandSpec, words: readonly Word[]): Command | Misunderstanding {
  const [, scope, extra] = words;
  if (!scope) return misunderstood(`\`unfreeze\` needs the scope that \`freeze\` lists: \`${usageOf(verb)}\``);
  const problem = scopeProblem(words, scope.text);
  if (problem) return problem;
  return extra
    ? misunderstood(`${quoted(extra.text)} is one word too many: \`${usageOf(verb)}\``)
    : { kind: 'unfreeze', scope: scope.text };
}

function parseRelease(verb: CommandSpec, words: readonly Word[]): Command | Misunderstanding {
  const [, operation, ...rest] = words;
  if (!operation || !/^[a-z]+-[a-z0-9]{4,}$/.test(operation.text)) {
    return misunderstood(`\`release\` needs the id of an operation, as its message and \`status\` show it: \`${usageOf(verb)}\``);
  }
  const reason = textOf(rest).replace(/^--reason[ =]/, '');
  if (reason.length > LONGEST_REASON) return tooLong(reason);
  return { kind: 'release', operation: operation.text, ...(reason === '' ? {} : { reason }) };
}

function parseReview(verb: CommandSpec, words: readonly Word[]): Command | Misunderstanding {
  const [, operation, ...rest] = words;
  if (!operation || !/^[a-z]+-[a-z0-9]{4,}$/.test(operation.text))
    return misunderstood(`\`review\` needs the id of an operation, as its message and \`history\` show it: \`${usageOf(verb)}\``);
  const text = textOf(rest);
  if (text.length > LONGEST_REASON) return tooLong(text);
  return { kind: 'review', operation: operation.text, ...(text === '' ? {} : { words: text }) };
}

/** `ab <service> <header>=<value>` or `ab <service> off`. */
export function parseAb(verb: CommandSpec, words: readonly Word[], { plain, options }: Arguments): Command | Misunderstanding {
  const [first, second, extra] = plain;
  if (!first || !second) return misunderstood(`\`ab\` needs a service, and a header with its value or \`off\`: \`${usageOf(verb)}\``);
  if (extra) return misunderstood(`${quoted(extra.text)} is one word too many: \`${usageOf(verb)}\``);
  const service = parseTargetText(first.text);
  if ('words' in service) return wrongWord(words, first.text, service);
  if (second.text.toLowerCase() === 'off') return { kind: 'ab', service, options };
  const at = second.text.indexOf('=');
  const [name, value] = [second.text.slice(0, at).toLowerCase(), second.text.slice(at + 1)];
  if (at < 1 || value === '') return misunderstood(`\`ab\` takes a header as name=value; ${quoted(second.text)} is not that.`);
  if (!HEADER_NAME.test(name)) return misunderstood(`${quoted(name)} is not the name of a header.`);
  if (NOT_FOR_AB.includes(name)) return misunderstood(`${quoted(name)} is set on every request by others: take a header of your own.`);
  if (value.length > 512 || !/^[\x20-\x7e]+$/.test(value))
    return misunderstood('The value of a header has at most 512 printable characters.');
  return { kind: 'ab', service, header: { name, value }, options };
}

function scopeProblem(words: readonly Word[], scope: string): Misunderstanding | undefined {
  if (isScope(scope)) return undefined;
  const sentence = `${quoted(scope)} is no scope: write *, cluster, cluster/namespace or cluster/namespace/name.`;
  return nearly(sentence, words, [1, 1], isScope(scope.toLowerCase()) ? scope.toLowerCase() : undefined);
}

function textOf(words: readonly Word[]): string {
  return words
    .map(({ text }) => text)
    .join(' ')
    .trim();
}

function tooLong(reason: string): Misunderstanding {
  return misunderstood(`The reason has ${reason.length} characters; it may have ${LONGEST_REASON}.`);
}
