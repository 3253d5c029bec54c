// Every refusal: what happened, what it means for the mesh, and a way on.
import { describe, expect, it } from 'vitest';
import { parseCommand, type Root } from '../../src/domain/commands/parse.ts';
import type { OperationView } from '../../src/domain/lifecycle/operation.ts';
import { type Refusal, type SentenceCode, sentenceOf } from '../../src/domain/words/sentences.ts';
import { refusedAnswer } from '../../src/slack/planning.ts';
import { BANNED, prose, seen, sentencesOf, wordsIn } from './read.ts';
import { CODES, SAMPLES } from './samples.ts';
import { view } from './views.ts';

/** Somebody else must act, or this must be done elsewhere: no command helps. */
const OTHERS: readonly SentenceCode[] = [
  'NotLiftable',
  'OwnReview',
  'ReviewedAlready',
  'NotAReviewer',
  'MayNotRead',
  'Forbidden',
  'NoIdentity',
  'VerbNotAllowed',
  'OutOfScope',
  'SelfApproval',
  'NotAnApprover',
  'CountsOnce',
  'OtherTeam',
  'OtherApp',
  'Deactivated',
  'Bot',
  'Guest',
  'Stranger',
  'NoEmail',
  'OddEmail',
  'UnknownUser',
  'SharedChannel',
  'ChannelNotAllowed',
];
/** The answer is a button that is there, or there is nothing to do. */
const THERE: readonly SentenceCode[] = [
  'StaleGate',
  'StalePlan',
  'WrongChoice',
  'NotTheLast',
  'ForgedButton',
  'NoGateOpen',
  'AlreadyDecided',
];
/** The same once more, later or when what is named has been fixed. */
const AGAIN = /\bagain\b|\bWait\b/;
const NOW =
  /Nothing was changed\.|[Yy]our (click|command) changed nothing\.|may or may not have begun|What the mesh does now|is not done twice|is counted already/;

const words = (code: SentenceCode): string => sentenceOf({ code, parameters: SAMPLES[code as keyof typeof SAMPLES] } as Refusal);

/** Whole commands in backticks, as people paste them. */
function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/`(\/[^`]+)`/g)].flatMap(([, command = '']) => {
    const [slash = '', ...rest] = command.split(' ');
    const known = ['/mesh', '/policy', '/encryption'].includes(slash);
    return known && parseCommand(rest.join(' '), { root: slash.slice(1) as Root }).kind !== 'misunderstood' ? [command] : [];
  });
}

/** As the plan's refusal is answered: with the whole command for each name and flag that the sentence says. */
function answered(code: SentenceCode): string {
  const asked = ['ShortMemory', 'NoWorkload'].includes(code) ? '/policy dryrun frontend' : '/mesh canary bakend 10%';
  const near = code === 'NoRoute' ? { candidates: ['backend', 'backend-canary'] } : {};
  const outcome: OperationView['outcome'] = { kind: 'impossible', code, words: words(code), ...near };
  const target = { cluster: 'demo', namespace: 'backend', name: 'bakend' };
  return refusedAnswer(view('over', { text: asked, target, outcome, stages: [] }))
    .text.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
}

describe.each(CODES.map((code) => ({ code })))('the refusal $code', ({ code }) => {
  it('says in 300 characters and short sentences how the mesh is now, with none of the banned words', () => {
    const text = words(code);
    expect(text.length).toBeLessThanOrEqual(300);
    expect(text).toMatch(NOW);
    expect(prose(text)).not.toMatch(BANNED);
    expect(text).not.toMatch(/undefined|\(s\)/);
    for (const sentence of sentencesOf(seen(text))) expect(`${wordsIn(sentence) <= 20} ${sentence}`).toBe(`true ${sentence}`);
  });

  it('is no dead end: a whole command that is read as one, unless it is to wait, or others must act', () => {
    const text = answered(code);
    const helps = commandsIn(text).length > 0 || OTHERS.includes(code) || THERE.includes(code) || AGAIN.test(text);
    expect(`${helps} ${text}`).toBe(`true ${text}`);
    for (const [, span = ''] of text.matchAll(/`(\/(?:mesh|policy|encryption)[^`]*)`/g)) expect(commandsIn(text)).toContain(span);
  });
});

it('sentences are short: 16 words for 95 of 100', () => {
  const lengths = CODES.flatMap((code) => sentencesOf(words(code)).map(wordsIn)).toSorted((a, b) => a - b);
  expect(lengths[Math.floor(lengths.length * 0.95)]).toBeLessThanOrEqual(16);
});
