import { describe, expect, it } from 'vitest';
import { ACTION } from '../../src/domain/lifecycle/button.ts';
import { type VerbName } from '../../src/domain/lifecycle/change.ts';
import type { Note } from '../../src/domain/lifecycle/contract.ts';
import { recordOf, VERB_NAMES } from '../../src/domain/verb.ts';
import { renderRoot } from '../../src/messages/message.ts';
import { renderNote } from '../../src/messages/note.ts';
import { AT, BLIND, COUNTS, everyView, HARMFUL, view } from './views.ts';

/** Words that only one verb may use: elsewhere they are untrue. */
const OWN_WORDS: Readonly<Record<VerbName, RegExp>> = {
  canary: /\b(canary|stable|requests?)\b/i,
  policy: /\b(polic(y|ies)|connections?|other pods)\b/i,
  encryption: /\b(encrypt\w*|attempts?)\b/i,
};

const NEUTRAL = { opId: 'op-1', explanation: [], watched: [], reason: '', text: '', from: 'before', to: 'after' } as const;
const STILL_FAILING = { words: 'It goes on.', hasShare: true };
const VERDICT = { ...HARMFUL, words: 'Harm was seen.' };

const views = everyView().map(({ name, view: of }) => {
  const live = { counts: COUNTS, canaryShare: 0.1, at: AT };
  const outcome = of.outcome && {
    ...of.outcome,
    words: 'It is over.',
    ...(of.outcome.verdict && { verdict: VERDICT, stillFailing: STILL_FAILING }),
  };
  const undoFailing = of.undoFailing && { ...of.undoFailing, reason: 'no answer' };
  return {
    name,
    view: {
      ...of,
      ...NEUTRAL,
      live,
      ...(outcome && { outcome }),
      ...(undoFailing && { undoFailing }),
      ...(of.verdict && { verdict: VERDICT }),
    },
  };
});

describe.each(VERB_NAMES.map((verb) => ({ verb })))('messages of the verb $verb', ({ verb }) => {
  const foreign = VERB_NAMES.filter((other) => other !== verb).flatMap((other) => OWN_WORDS[other] ?? []);
  const isItsOwn = (text: string): void => {
    for (const words of foreign) expect(text).not.toMatch(words);
  };

  it.each(views)('speak of no other verb when $name', ({ view: of }) => {
    const { text, blocks } = renderRoot({ ...of, verb });
    // Names and values of actions are read by nobody.
    const said = JSON.stringify(blocks, (key, value: unknown) => (['action_id', 'value', 'block_id'].includes(key) ? undefined : value));
    isItsOwn(`${text}\n${said}`);
  });

  it.each(views)('have no button that the verb has no answer to when $name', ({ view: of }) => {
    const shown = JSON.stringify(renderRoot({ ...of, verb }).blocks);
    const { onwards } = recordOf(verb);
    expect(shown.includes(ACTION.nextPromote) && !onwards.promote).toBe(false);
    expect(shown.includes(ACTION.nextZero) && !onwards.zero).toBe(false);
  });

  it('speak of no other verb where a watch ended', () => {
    const notes: readonly Note[] = [
      { kind: 'verdict', verdict: { ...BLIND, words: 'Not seen.' }, stage: '10%' },
      { kind: 'verdict', verdict: VERDICT, stage: '10%' },
      { kind: 'still-failing', verdict: VERDICT, hasShare: true },
      { kind: 'still-failing', verdict: VERDICT, hasShare: false },
      { kind: 'fuse', verdict: VERDICT, restore: { kind: 'restored', objects: [], exact: true, at: AT } },
      { kind: 'approved', by: { id: 'r', name: 'Reviewer' }, remaining: 1 },
    ];
    for (const note of notes) isItsOwn(JSON.stringify(renderNote(note, { ...view('watching'), ...NEUTRAL, verb })));
  });
});
