// The checks of what people read, over every verb, phase and outcome.
import { describe, expect, it } from 'vitest';
import { acceptMessageBlocks } from '../../playground/slack/block-kit/accept.ts';
import type { Note } from '../../src/domain/lifecycle/contract.ts';
import { VERB_NAMES } from '../../src/domain/verb.ts';
import { headline } from '../../src/messages/headline.ts';
import { renderRoot } from '../../src/messages/message.ts';
import { renderNote } from '../../src/messages/note.ts';
import { renderAnswered, renderCalledAgain, renderQuestion } from '../../src/messages/question.ts';
import { EVERY, everyOf } from './every.ts';
import { BANNED, buttonsOf, prose, seen, sentencesOf, textsOf, wordsIn } from './read.ts';
import { AT, BLIND, HARMFUL } from './views.ts';

/** Every state that a headline may name. */
const STATES = [
  'planning',
  'needs approval( \\(\\d+ of \\d+\\))?',
  'applying .+',
  'watching .+',
  'held at .+, needs a decision',
  'rollback held, needs a decision',
  'held, someone else changed it',
  'waits at .+ for a freeze',
  '(at \\d+(\\.\\d+)?%|enforced|observed|on|off|in place), watching',
  'rolling back',
  'rolled back, checking',
  'rollback failing',
  'not being watched',
  'completed',
  'rolled back',
  'rolled back, still failing',
  'rejected',
  'aborted',
  'aborted, rolled back',
  'expired, not approved',
  'expired, rolled back',
  'failed',
  'failed, rolled back',
  'not possible',
  'stopped, another operation took over',
  'stopped, left as changed',
  'abandoned, change still in place',
];
const HEADLINE = new RegExp(`^(Canary|Policy|Encryption) [^:]+: (${STATES.join('|')})$`);
function visible(blocks: Parameters<typeof textsOf>[0]): string {
  return [...textsOf(blocks), ...buttonsOf(blocks).map(({ label }) => label)].map(seen).join('\n');
}

describe('the root message', () => {
  it.each(EVERY)('has a headline of 60 characters with a known state, and begins with it: $name', ({ view }) => {
    const { text, blocks } = renderRoot(view);
    const [head, first = ''] = textsOf(blocks);
    expect(headline(view)).toMatch(HEADLINE);
    expect(headline(view).length).toBeLessThanOrEqual(60);
    expect(head).toBe(headline(view));
    expect(seen(text).startsWith(`${seen(headline(view))}.`)).toBe(true);
    expect(seen(text).length).toBeLessThanOrEqual(200);
    // The notification says what the first section says first.
    const [sentence = ''] = sentencesOf(seen(first).replace(/^(Why|Frozen): /, ''));
    expect(seen(text).toLowerCase()).toContain(sentence.replace(/[.:]$/, '').slice(0, 60).toLowerCase());
  });

  describe.each(VERB_NAMES)('of the verb %s', (verb) => {
    const long = 'n'.repeat(63);
    const fifty = Array.from({ length: 50 }, (_, at) => `${at + 1}%`);
    const cases = [
      ['its own steps', everyOf(verb)],
      ['one step', everyOf(verb, { labels: ['10%'] })],
      ['six steps', everyOf(verb, { labels: fifty.slice(0, 6) })],
      ['fifty steps', everyOf(verb, { labels: fifty })],
      ['long names', everyOf(verb, { target: { cluster: 'demo', namespace: long, name: long } })],
    ] as const;
    it.each(cases)('is one screen of a phone: 8 blocks, 700 characters, with %s', (_, views) => {
      const over = views.flatMap(({ name, view }) => {
        const { blocks } = renderRoot(view);
        acceptMessageBlocks(blocks, 50);
        const length = visible(blocks).length;
        return blocks.length > 8 || length > 700 ? [`${name}: ${blocks.length} blocks, ${length} characters`] : [];
      });
      expect(over).toEqual([]);
    });
  });

  it.each(EVERY)('has at most one button that is primary and one that is danger, and each says what it is: $name', ({ view }) => {
    const buttons = buttonsOf(renderRoot(view).blocks);
    expect(buttons.filter(({ style }) => style === 'primary').length).toBeLessThanOrEqual(1);
    expect(buttons.filter(({ style }) => style === 'danger').length).toBeLessThanOrEqual(1);
    expect(buttons.every(({ label, style }) => style !== 'primary' || label === 'Approve')).toBe(true);
    expect(new Set(buttons.map(({ spoken }) => spoken)).size).toBe(buttons.length);
    for (const { label, spoken, confirm } of buttons) {
      expect(spoken.startsWith(label.replace(/…$/, ''))).toBe(true);
      expect(spoken).toContain(seen(headline(view)).slice(0, 30));
      if (!confirm) continue;
      expect(confirm.title.endsWith('?')).toBe(true);
      expect(confirm.no).toBe('Cancel');
      expect([confirm.title.length <= 100, confirm.text.length <= 300, confirm.yes.length <= 30]).toEqual([true, true, true]);
    }
  });

  it.each(EVERY)('uses none of the banned words, no emoji, and short sentences: $name', ({ view }) => {
    const { text, blocks } = renderRoot(view);
    const shown = [
      seen(prose(text)),
      ...textsOf(blocks).map((one) => seen(prose(one))),
      ...buttonsOf(blocks).flatMap(({ label, confirm }) => [label, confirm?.text ?? '']),
    ];
    for (const one of shown) {
      expect(one).not.toMatch(BANNED);
      expect(one).not.toMatch(/\p{Emoji_Presentation}/u);
      for (const sentence of sentencesOf(one)) expect(`${wordsIn(sentence) <= 20} ${sentence}`).toBe(`true ${sentence}`);
    }
  });

  it.each(EVERY)('gives every time as a date of the reader, in UTC where that cannot be shown: $name', ({ view }) => {
    const { text, blocks } = renderRoot(view);
    for (const one of [text, ...textsOf(blocks)]) {
      const rest = one.replaceAll(/<!date\^\d+\^[^|>]+\|[0-9: -]+UTC>/g, '');
      expect(rest).not.toMatch(/\d{1,2}:\d{2}/);
      expect(rest).not.toMatch(/\bleft\b(?! as)|\bin \d+ (s|min|h)\b/);
    }
  });
});

const object = { apiVersion: 'v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
const NOTES: readonly Note[] = [
  { kind: 'plan' },
  { kind: 'plan-changed', differences: ['HTTPRoute backend/backend: weight of backend 100 → 80'] },
  { kind: 'verdict', verdict: BLIND, stage: '10%' },
  { kind: 'drift', stage: '10%', inspection: { differences: [], found: {} } },
  { kind: 'still-failing', verdict: HARMFUL, hasShare: true },
  { kind: 'still-failing', verdict: HARMFUL, hasShare: false },
  { kind: 'fuse', verdict: HARMFUL, restore: { kind: 'restored', objects: [], exact: true, at: AT } },
  { kind: 'fuse', verdict: HARMFUL, restore: { kind: 'superseded', object, token: 'canary-77ab01/2', at: AT } },
  { kind: 'fuse', verdict: HARMFUL, restore: { kind: 'restored', objects: [{ object, state: 'drifted' }], exact: false, at: AT } },
  { kind: 'undo-failing', reason: 'connection refused', commands: ['kubectl get httproute'] },
  { kind: 'declined', ending: { kind: 'rejected', code: 'Rejected', by: { id: 'r', name: 'Reviewer' }, reason: 'too early' } },
  { kind: 'lost', how: 'terminated', wroteAt: AT, label: '10%', before: 'backend 100%' },
  { kind: 'no-longer', people: ['Reviewer'] },
  { kind: 'emergency', reason: 'checkout fails for everybody, v2 fixes it' },
  { kind: 'unready', words: 'backend-1 has no ready endpoint.' },
  { kind: 'outcome' },
];

describe('a reply in the thread', () => {
  const [watching, over] = ['watching', 'over, rolled-back'].map((name) => EVERY.filter((one) => one.name.endsWith(`, ${name}`)));
  it.each(NOTES.map((note) => ({ kind: note.kind, note })))(
    'is short, plain and without banned words, for each verb: $kind',
    ({ note }) => {
      for (const { view } of (note.kind === 'outcome' ? over : watching) ?? []) {
        const { text, blocks } = renderNote(note, view);
        acceptMessageBlocks(blocks, 50);
        const words = prose(textsOf(blocks).join('\n'));
        expect(`${seen(words).length <= 600} ${seen(words)}`).toBe(`true ${seen(words)}`);
        expect(seen(words)).not.toMatch(BANNED);
        expect(text).not.toBe('');
        for (const sentence of sentencesOf(seen(words))) expect(`${wordsIn(sentence) <= 20} ${sentence}`).toBe(`true ${sentence}`);
      }
    },
  );
});

describe('a question in the thread', () => {
  const asked = EVERY.filter(({ view }) => view.gate && view.phase !== 'over');
  it.each(asked)('calls who may answer, says until when and what else happens, in 300 characters: $name', ({ view }) => {
    const { gate } = view;
    if (!gate) return;
    for (const call of ['question', 'reminder', 'escalation'] as const) {
      const calls = { usergroups: ['S0REVIEWERS'], emails: [], ...(call === 'escalation' && { escalate: 'S0LEADS' }) };
      const { text, blocks } = renderQuestion({ ...view, gate: { ...gate, calls, call } }, { ...gate, calls, call });
      acceptMessageBlocks(blocks, 50);
      expect(text).toMatch(call === 'escalation' ? /<!subteam\^S0LEADS>/ : /<!subteam\^S0REVIEWERS>/);
      expect(text).toMatch(/<!date\^/);
      expect(text).toMatch(/\belse\b/);
      expect(`${seen(text).length <= 300} ${seen(text)}`).toBe(`true ${seen(text)}`);
      expect(buttonsOf(blocks).length).toBeGreaterThan(0);
      expect(seen(prose(text))).not.toMatch(BANNED);
    }
    const again = renderCalledAgain(view, 'reminder', 1);
    expect(buttonsOf(again.blocks)).toEqual([]);
    const answered = { gateId: gate.gateId, kind: gate.kind, choice: 'expired', by: [], at: 1 } as const;
    const closed = renderAnswered({ ...view, answered }, gate.gateId);
    expect(buttonsOf(closed.blocks)).toEqual([]);
    expect(closed.text).toMatch(/<!date\^/);
  });

  it('says who has answered it and when, for every answer', () => {
    const one = EVERY.find(({ view }) => view.gate)?.view;
    for (const choice of ['approve', 'reject', 'extend', 'continue', 'rollback', 'adopt', 'restore', 'leave'] as const) {
      const kind =
        ({ approve: 'approval', reject: 'approval', adopt: 'drift', restore: 'drift', leave: 'drift' } as const)[choice as 'approve'] ??
        'hold';
      const answered = { gateId: 'g1', kind, choice, by: ['Reviewer'], at: 1 };
      const { text, blocks } = renderAnswered({ ...(one as NonNullable<typeof one>), answered }, 'g1');
      expect(text).toMatch(/by Reviewer at <!date\^/);
      expect(seen(text)).not.toMatch(BANNED);
      expect(buttonsOf(blocks)).toEqual([]);
    }
  });
});
