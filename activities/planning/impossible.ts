import type { PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { type SentenceCode, type SentenceParameters, sentence } from '../../src/domain/words/sentences.ts';

export type Impossible = Extract<PlanResult, { kind: 'impossible' }>;

/** A plan that cannot be made, in the verb's own words: what was looked for, that nothing was changed, what to do. */
export function impossible(code: string, words: string): Impossible {
  return { kind: 'impossible', code, words };
}

/** The same, with the sentence of the one table. */
export function refused<Code extends SentenceCode>(code: Code, parameters: SentenceParameters[Code]): Impossible {
  return impossible(code, (sentence as (code: SentenceCode, parameters: unknown) => string)(code, parameters));
}
