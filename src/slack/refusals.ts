import { type BareCode, isBareCode, type Refusal, type SentenceCode, sentence, sentenceOf } from '../domain/words/sentences.ts';

/** A request that goes no further, with the sentence for the person who asked (plain text: escape it before Slack sees it). */
export interface Refused {
  readonly kind: 'refused';
  readonly code: SentenceCode;
  readonly words: string;
}

export function refusal(code: BareCode): Refused {
  return { kind: 'refused', code, words: sentence(code) };
}

export function refusalOf(refused: Refusal): Refused {
  return { kind: 'refused', code: refused.code, words: sentenceOf(refused) };
}

/** The sentence for a code that came back from a workflow; `words` where the table has none. */
export function wordsFor(code: string, words: string): string {
  return isBareCode(code) ? sentence(code) : words;
}
