import { EVERYWHERE } from '../target.ts';
import { recordOf } from '../verb.ts';
import { type Arguments, misunderstood, replaceWord } from './arguments.ts';
import type { Command, Misunderstanding } from './command.ts';
import type { CommandSpec } from './spec.ts';
import { parseTargetText } from './target-text.ts';
import type { Word } from './words.ts';

/** A command that its verb's record reads. One that holds a whole cluster names that, or nothing where the channel has one. */
export function readByVerb(
  words: readonly Word[],
  { plain, options }: Arguments,
  spec: CommandSpec,
  read: NonNullable<CommandSpec['read']>,
): Command | Misunderstanding {
  const asked = read(
    plain.map(({ text }) => text),
    options,
  );
  if (typeof asked === 'string') return misunderstood(asked);
  const { change } = asked;
  const isWide = spec.changes !== undefined && recordOf(spec.changes).scope === 'cluster';
  const target = isWide ? { ...(asked.target !== '' && { cluster: asked.target }), ...EVERYWHERE } : parseTargetText(asked.target);
  if ('words' in target) return notATarget(words, asked.target, target.words, target.nearest);
  return { kind: 'change', command: spec.name, target, change, options };
}

export function notATarget(words: readonly Word[], typed: string, sentence: string, near?: string): Misunderstanding {
  return misunderstood(sentence, near === undefined ? undefined : replaceText(words, typed, near));
}

export function replaceText(words: readonly Word[], typed: string, by: string): readonly Word[] {
  const index = words.findIndex(({ text }, position) => position > 0 && text === typed);
  return replaceWord(words, index, 1, by);
}
