import { type Refusal, type SentenceCode, sentence, sentenceOf } from '../domain/sentences.ts';

/** Codes whose sentence needs nothing but the code: what workflows and the bot's own checks refuse with. */
const BARE = [
  ...(['NoGateOpen', 'StaleGate', 'StalePlan', 'GateExpired', 'SelfApproval', 'NotAnApprover', 'AlreadyDecided', 'WrongChoice'] as const),
  ...(['Ending', 'NotBegun', 'RequestExpired', 'Replayed', 'NoDatabase', 'NotReleasable'] as const),
  ...(['OtherTeam', 'OtherApp', 'Deactivated', 'Bot', 'Guest', 'Stranger', 'NoEmail', 'UnknownUser', 'SlackSilent'] as const),
  ...(['ForgedButton', 'SharedChannel', 'ChannelNotAllowed', 'Broken'] as const),
] satisfies readonly SentenceCode[];

export type RefusalCode = (typeof BARE)[number];

/** A request that goes no further, with the sentence for the person who asked (plain text: escape it before Slack sees it). */
export interface Refused {
  readonly kind: 'refused';
  readonly code: SentenceCode;
  readonly words: string;
}

export function refusal(code: RefusalCode): Refused {
  return { kind: 'refused', code, words: sentence(code) };
}

export function refusalOf(refused: Refusal): Refused {
  return { kind: 'refused', code: refused.code, words: sentenceOf(refused) };
}

/** The sentence for a code that came back from a workflow; `words` where the table has none. */
export function wordsFor(code: string, words: string): string {
  const known = BARE.find((one) => one === code);
  return known ? sentence(known) : words;
}
