import type { KnownBlock } from '@slack/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptMessageBlocks } from '../../playground/slack/block-kit/accept.ts';
import { parseButton } from '../../src/domain/lifecycle/button.ts';
import type { Gate } from '../../src/domain/lifecycle/gate.ts';
import type { OperationView, StageView } from '../../src/domain/lifecycle/operation.ts';
import { VERB_NAMES } from '../../src/domain/verb.ts';
import { headline } from '../../src/messages/headline.ts';
import { steps } from '../../src/messages/ladder.ts';
import { renderRoot } from '../../src/messages/message.ts';
import { renderNote } from '../../src/messages/note.ts';
import { renderAnswered, renderCalledAgain, renderQuestion } from '../../src/messages/question.ts';
import { AT, BLIND, COUNTS, everyView, gate, HARMFUL, stages, view } from './views.ts';

/** Every text of a message that Slack reads as mrkdwn, in one string. */
function shown(rendered: { readonly text: string; readonly blocks: KnownBlock[] }): string {
  return `${rendered.text}\n${JSON.stringify(rendered.blocks.filter((block) => block.type !== 'actions' && block.type !== 'header')).replaceAll('\\n', '\n')}`;
}

function labels(operation: OperationView): string[] {
  const row = renderRoot(operation).blocks.find((block) => block.type === 'actions');
  return (row?.elements ?? []).map((element) => (element.type === 'button' ? element.text.text : element.type));
}

/** Characters that nobody sees, and that stay in what is copied. */
const UNSEEN = /[\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/;

/** A foreign text may not open anything in angle brackets: only our own mentions and dates do. */
function foreignControls(text: string): string[] {
  return (text.match(/<[^>]*>?/g) ?? []).filter((found) => !/^<(@[UW][A-Z0-9]+|!date\^\d+\^[^>|]+\|[0-9: -]+UTC)>$/.test(found));
}

const FREEZE = { scope: 'demo/backend', reason: 'release weekend', by: { id: 'r', name: 'Reviewer' }, setAt: AT, until: AT + 3_600_000 };

describe('the root message', () => {
  it.each(everyView())('is accepted by Slack when $name', ({ view: operation }) => {
    const rendered = renderRoot(operation);
    expect(() => acceptMessageBlocks(rendered.blocks, 50)).not.toThrow();
    expect(rendered.text.length).toBeGreaterThan(20);
    expect(rendered.metadata).toMatchObject({ event_type: 'meshops_operation', event_payload: { op_id: 'op-brisk-otter-42' } });
    expect(shown(rendered)).not.toMatch(/undefined|NaN|\[object/);
    expect(foreignControls(shown(rendered))).toEqual([]);
  });

  it('says what there is now when it is over, as it was read back, and nothing of what was meant', () => {
    const outcome = {
      kind: 'rolled-back',
      code: 'Harmful',
      words: 'It failed.',
      now: 'backend 100%, backend-canary 0%, exactly as before',
    } as const;
    const over = renderRoot(view('over', { outcome, from: 'backend 100%', to: 'backend 90%, backend-canary 10%' }));
    expect(over.text).toBe('Canary backend/backend 10%: rolled back. It failed. Now: backend 100%, backend-canary 0%, exactly as before.');
    const words = 'Canary: 4 of 57 requests failed (7%). That is more than the 1% allowed. How: 500 (4). The mesh is exactly as before.';
    const long = renderRoot(view('over', { outcome: { ...outcome, words } }));
    expect(long.text).toBe(
      'Canary backend/backend 10%: rolled back. Canary: 4 of 57 requests failed (7%). Now: backend 100%, backend-canary 0%, exactly as before.',
    );
    expect(JSON.stringify(long.blocks).match(/exactly as before/g)).toHaveLength(1);
    expect(shown(over)).toContain('*Now:* backend 100%, backend-canary 0%, exactly as before.');
    expect(shown(over)).not.toContain('backend-canary 10%');
  });

  it('offers the Services that a command could have meant, as buttons that name each', () => {
    const outcome = {
      kind: 'impossible',
      code: 'Ambiguous',
      words: 'Which one?',
      candidates: ['blue', 'green', 'c3', 'c4', 'c5', 'c6'],
    } as const;
    const unclear = view('over', { outcome, stages: [] });
    const { namespace } = unclear.target;
    expect(labels(unclear).slice(0, 6)).toEqual([...['blue', 'green', 'c3', 'c4', 'c5'].map((name) => `${namespace}/${name}`), 'Status']);
    const row = renderRoot(unclear).blocks.find((block) => block.type === 'actions');
    const [first] = row?.elements ?? [];
    expect(first?.type === 'button' && parseButton(first.value ?? '')).toMatchObject({ candidate: 'blue' });
    expect(() => acceptMessageBlocks(renderRoot(unclear).blocks, 50)).not.toThrow();
  });

  it('says what is not seen and does not count beside the live numbers', () => {
    const counts = { canary: { requests: 1, failures: 0 }, stable: { requests: 9, failures: 0 } };
    const live = { counts, canaryShare: 0.1, at: AT, unseen: 'node-9 (gone): none of this traffic was seen there' };
    expect(shown(renderRoot(view('watching', { live })))).toContain('Not seen: node-9 (gone): none of this traffic');
  });

  describe.each(VERB_NAMES)('of the verb %s', (verb) => {
    const longest = 'a'.repeat(63);
    const names = [
      ['usual', { cluster: 'demo', namespace: 'backend', name: 'backend' }],
      ['longest', { cluster: 'demo', namespace: longest, name: longest }],
    ] as const;

    it.each(everyView())(
      'has one line of headline that says the state, and a notification that begins with it, when $name',
      ({ view: one }) => {
        for (const [, target] of names) {
          const of = { ...one, verb, target };
          const line = headline(of);
          const { text, blocks } = renderRoot(of);
          expect(line).toMatch(/^(Canary|Policy|Encryption) [^:]+: [^:]+$/);
          expect(line.length).toBeLessThanOrEqual(60);
          expect(blocks[0]).toMatchObject({ text: { text: line } });
          expect(text.startsWith(`${line}.`)).toBe(true);
          expect(text.length).toBeLessThanOrEqual(200);
          expect(text).not.toMatch(/, to \S/);
        }
      },
    );

    it.each(everyView().filter(({ view: { phase } }) => phase !== 'planning' && phase !== 'waiting'))(
      'has at most eight blocks when $name, with fifty steps too',
      ({ view: base }) => {
        const one = { ...base, answered: { gateId: 'g0', kind: 'approval', choice: 'approve', by: ['Reviewer'], at: AT } as const };
        const fifty = Array.from({ length: 50 }, (_, at) => ({
          number: at + 1,
          label: `${at + 1}%`,
          exposure: 0.5,
          state: at < 25 ? ('passed' as const) : ('pending' as const),
        }));
        for (const stages of [one.stages, fifty]) expect(renderRoot({ ...one, verb, stages }).blocks.length).toBeLessThanOrEqual(8);
      },
    );

    it.each(everyView())('counts nothing down in what nobody edits, when $name', ({ view: one }) => {
      expect(shown(renderRoot({ ...one, verb }))).not.toMatch(/\bleft\b[^ ]|min left|in \d+ (s|min)\b|for \d+ s\b/);
    });
  });

  it('keeps within the limits and lets no foreign text speak for itself, whatever the texts are', () => {
    const foreign = fc.oneof(
      fc.constantFrom(
        '<!channel>',
        '<@U0REVIEWER>',
        '&<>'.repeat(2000),
        '```\n*Approved* by all',
        'a\nb',
        '😀'.repeat(900),
        '<https://example.com|x>',
        'www.example.com @here *bold* _low_ #general \u2060\u200B',
      ),
      fc.string({ maxLength: 4000 }),
    );
    fc.assert(
      fc.property(
        foreign,
        fc.array(foreign, { maxLength: 60 }),
        fc.integer({ min: 0, max: everyView().length - 1 }),
        (text, many, index) => {
          const base = everyView()[index]?.view ?? view('planning');
          const rendered = renderRoot(hostile(base, text, many));
          acceptMessageBlocks(rendered.blocks, 50);
          expect(rendered.text.length).toBeLessThan(40_000);
          expect(foreignControls(shown(rendered))).toEqual([]);
          expect(JSON.stringify(rendered)).not.toMatch(UNSEEN);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('says who asked, why, what changes and what is watched', () => {
    const text = shown(renderRoot(view('planning')));
    expect(text).toMatch(/Asked by <@U0OPERATOR>, <!date[^>]*>\. Reason: release 2\.0/);
    expect(text).toContain('"backend 100%, backend-canary 0% → backend 90%, backend-canary 10%.\n');
    const plan = JSON.stringify(renderNote({ kind: 'plan' }, view('applying')).blocks);
    expect(plan).toContain('Watched: requests answered by backend-canary');
    expect(plan).toContain('`/mesh canary backend 10%`');
  });

  it('names at a gate who may decide, what was given and until when', () => {
    const given = [{ by: { id: 'reviewer@example.com', name: 'Reviewer', slackId: 'U0REVIEWER' }, at: AT + 1000 }];
    const text = shown(renderRoot(view('waiting', { gate: gate({ approvals: given }) })));
    expect(text).toMatch(/\*Needs\* 2 approvals from \*Second reviewer\* by <!date.*, else it is declined\. Nothing has changed\./);
    expect(text).toContain('So far 1 of 2: <@U0REVIEWER> at ');
    expect(text).toContain('needs approval (1 of 2)');
    expect(text).toContain(`<!date^${(AT + 1_800_000) / 1000}^`);
    // A countdown that nobody edits is untrue a minute later.
    expect(text).not.toContain('left');
  });

  it('says at a gate what becomes of it without an answer, and no more than is so', () => {
    const inPlace = stages('passed', 'pending');
    const [first, later] = [view('waiting', { gate: gate() }), view('waiting', { gate: gate(), stages: inPlace })];
    const lost = view('waiting', { gate: gate({ why: 'What its lost run has written is to stay as it is.' }), stages: inPlace });
    for (const [of, words] of [
      [first, 'else it is declined. '],
      [later, 'else it is not written. '],
      [lost, 'else it is rolled back. '],
    ] as const) {
      expect(shown(renderRoot(of))).toContain(words);
      expect(renderQuestion(of, of.gate as Gate).text).toContain(words.trim());
    }
  });

  it('held, says how it is now: the cause that has gone, the numbers, and what differs by now', () => {
    const live = { counts: COUNTS, canaryShare: 0.1, at: AT + 90_000 };
    const hold = { stages: stages('held'), verdict: BLIND, gate: gate({ kind: 'hold' }) };
    const gone = { ...live, word: { kind: 'healthy' as const, words: 'none of 60 failed.' }, seenSince: AT + 80_000 };
    const text = shown(renderRoot(view('holding', { ...hold, live: gone })));
    expect(text).toContain('*Why:* Node node-2 lost 40 events');
    expect(text).toMatch(/\*Now\* \(<!date.*Everything is seen again since <!date.*none of 60 failed/);
    const drift = [{ object: 'HTTPRoute/backend/backend', field: '/weight', expected: '10', found: '25', manager: 'kubectl-edit' }];
    const drifted = { stages: stages('held'), drift, gate: gate({ kind: 'drift' }) };
    const more = shown(renderRoot(view('holding', { ...drifted, live: { ...live, drift: [{ ...drift[0], found: '40' } as never] } })));
    expect(more).toContain('found `40`');
    expect(more).not.toContain('found `25`');
    expect(shown(renderRoot(view('holding', { ...drifted, live: { ...live, drift: [] } })))).toContain('Since then it was changed back');
  });

  it('held because a GitOps tool wrote Git back: says so, and what to do first; not where somebody else has changed something too', () => {
    const back = { object: 'HTTPRoute/backend/backend', field: '/weight', expected: '10', found: '0', manager: 'argocd-controller' };
    const text = (drift: readonly object[]): string =>
      shown(renderRoot(view('holding', { stages: stages('held'), drift: drift as never, gate: gate({ kind: 'drift' }) })));
    expect(text([back])).toContain("*Why:* Argo CD wrote Git's values back. Ours last only if it leaves these fields alone");
    expect(text([back])).toContain('by `argocd-controller` (Argo CD)');
    const token = { ...back, field: '/metadata/annotations/meshops.dev~1operation', manager: 'kubectl-edit' };
    expect(text([back, token])).toContain("Argo CD wrote Git's values back");
    expect(text([back, { ...back, manager: 'kubectl-edit' }])).toContain('*Why:* Someone else changed what this operation manages.');
  });

  it('says at a gate that a freeze is set, and what cannot be seen meanwhile', () => {
    const live = { counts: COUNTS, canaryShare: 0.1, at: AT, word: { kind: 'blind' as const, words: 'node-1 cannot be seen.' } };
    const text = shown(renderRoot(view('waiting', { stages: stages('passed', 'pending'), gate: gate(), frozen: FREEZE, live })));
    expect(text).toContain('*Frozen:*');
    expect(text).toContain('Nothing is written before it ends');
    expect(text).toContain('node-1 cannot be seen.');
  });

  it('gives each stage a mark and a word', () => {
    const text = shown(renderRoot(view('watching', { stages: stages('passed', 'watching', 'pending') })));
    expect(text).toContain('✓  *1%* passed · 55 s · 1,204 requests, 1 failed (0.08%)');
    expect(text).toContain('▸  *5%* watching');
    expect(text).toContain('○  *10%* next');
  });

  it('folds what has passed, what follows and what was not reached, so that fifty steps are six lines', () => {
    const many = (states: readonly StageView['state'][]) =>
      steps(
        view('watching', {
          stages: states.map((state, at) => ({ number: at + 1, label: `${at + 1}%`, exposure: at / 100, state })),
          watchUntil: AT,
        }),
      ).map((line) => line.replace(/<!date.*>/, '13:00'));
    const of = (count: number, state: StageView['state']): StageView['state'][] => Array.from({ length: count }, () => state);
    expect(many([...of(20, 'passed'), 'watching', ...of(29, 'pending')])).toEqual([
      '✓  *1%, 2%, 3%* and 16 more passed',
      '✓  *20%* passed',
      '▸  *21%* watching until 13:00',
      '○  *22%, 23%, 24%* and 26 more next',
    ]);
    expect(many([...of(3, 'undone'), 'harmful', ...of(2, 'skipped')])).toEqual([
      '↩  *1%, 2%, 3%* rolled back',
      '✕  *4%* failed',
      '–  *5%, 6%* not reached',
    ]);
    expect(many(['pending'])).toEqual([]);
  });

  it('leaves the plan to the thread: below the question, and kept there when it is approved', () => {
    const plan = 'gains 10% of the requests to backend through Gateway mesh';
    const answered = { gateId: 'g1', kind: 'approval', choice: 'approve', by: ['Reviewer'], at: AT } as const;
    const waiting = view('waiting', { gate: gate() });
    expect(shown(renderRoot(waiting))).not.toContain(plan);
    expect(JSON.stringify(renderQuestion(waiting, waiting.gate as Gate).blocks)).toContain(plan);
    expect(JSON.stringify(renderCalledAgain(waiting, 'reminder', AT).blocks)).toContain(plan);
    expect(JSON.stringify(renderAnswered(view('watching', { answered }), 'g1').blocks)).toContain(plan);
    expect(JSON.stringify(renderAnswered(view('over', { answered: { ...answered, choice: 'reject' } }), 'g1').blocks)).not.toContain(plan);
  });

  it('says first at the gate of a policy what it would drop', () => {
    const explanation = ['Dry-run: 11 of 100 connections that were seen would be dropped: from world to port 8080/TCP (11).', 'More.'];
    const asked = view('waiting', { verb: 'policy', explanation, gate: gate() });
    const sections = renderRoot(asked).blocks.flatMap((block) => (block.type === 'section' ? [block.text?.text ?? ''] : []));
    expect(sections[0]?.startsWith(`*${explanation[0]}*`)).toBe(true);
    expect(renderRoot(asked).text).toContain('11 of 100 connections');
    expect(renderQuestion(asked, asked.gate as Gate).text).toContain('11 of 100 connections');
  });

  it('shows live numbers of both sides and the measured share beside the asked one', () => {
    const watching = everyView().find((one) => one.name === 'watching');
    const text = shown(renderRoot(watching?.view ?? view('watching')));
    expect(text).toContain('1,204 requests, 1 failed (0.08%)');
    expect(text).toContain('10,842 requests, 3 failed (0.03%)');
    expect(text).toContain('5% set, 10% measured');
  });

  it('says at the end what happened, with numbers, and that all is as it was', () => {
    const over = everyView().find((one) => one.name === 'over, rolled-back');
    const text = shown(renderRoot(over?.view ?? view('over')));
    expect(text).toContain('It ended as rolled-back.');
    expect(text).toContain('88 requests to the canary, 17 failed (19%)');
    expect(text.match(/exactly as before/g)).toHaveLength(1);
  });

  it('shows a failing rollback with its reason; the commands are in the thread', () => {
    const failing = everyView().find((one) => one.name === 'undo failing')?.view ?? view('restoring');
    const text = shown(renderRoot(failing));
    expect(text).toMatch(/\*The change is still in place\.\* The rollback has been failing since <!date.*: connection refused/);
    expect(text).toContain('`/mesh release op-brisk-otter-42`');
    expect(text).not.toContain('kubectl');
    const { commands = [], reason = '' } = failing.undoFailing ?? {};
    const note = JSON.stringify(renderNote({ kind: 'undo-failing', reason, commands }, failing).blocks);
    expect(note).toContain('```\\nkubectl -n backend patch httproute backend');
  });

  it('has the buttons of its phase and no other', () => {
    expect(labels(view('planning'))).toEqual([]);
    expect(labels(view('waiting', { gate: gate() }))).toEqual(['Approve', 'Reject', 'Abort']);
    expect(labels(view('watching', { stages: stages('watching') }))).toEqual(['Abort and roll back']);
    expect(labels(view('holding', { stages: stages('held'), verdict: BLIND, gate: gate({ kind: 'hold' }) }))).toEqual([
      'Keep watching',
      'Continue',
      'Roll back',
    ]);
    expect(labels(view('holding', { stages: stages('held'), gate: gate({ kind: 'drift' }) }))).toEqual([
      'Keep theirs',
      'Write ours',
      'Stop',
    ]);
    expect(labels(view('holding', { stages: stages('passed', 'pending'), frozen: FREEZE }))).toEqual(['Abort and roll back']);
    expect(labels(view('restoring', { stages: stages('harmful'), verdict: HARMFUL }))).toEqual([]);
    const completed = everyView().find((one) => one.name === 'over, completed');
    expect(labels(completed?.view ?? view('over'))).toEqual(['Promote to 100%', 'Roll back', 'Status', 'History']);
  });

  it('shows drift with field, expected, found and whose hand it was', () => {
    const drift = [{ object: 'HTTPRoute/backend/backend', field: '/spec/x', expected: '10', found: '<30>', manager: 'kubectl-edit' }];
    const text = JSON.stringify(renderRoot(view('holding', { stages: stages('held'), drift, gate: gate({ kind: 'drift' }) })).blocks);
    expect(text).toContain('expected `10`, found `&lt;30&gt;`, by `kubectl-edit`');
    expect(text).toMatch(/\*Choose by <!date.*\*, else meshops stops and leaves it:/);
  });

  it('shows a freeze with who, why and until when', () => {
    const text = JSON.stringify(renderRoot(view('holding', { stages: stages('passed', 'pending'), frozen: FREEZE })).blocks);
    expect(text).toMatch(/`demo\/backend` is frozen until .* by Reviewer: release weekend/);
  });

  it('offers 0% where it was put back and fails all the same', () => {
    const over = (hasShare: boolean) =>
      labels(view('over', { outcome: { kind: 'rolled-back', code: 'Harmful', words: 'x', stillFailing: { words: 'y', hasShare } } }));
    expect(over(true)).toEqual(['Canary to 0%', 'Status', 'History']);
    expect(over(false)).toEqual(['Status', 'History']);
  });

  it('puts only ids into button values, which the bot reads back', () => {
    const row = renderRoot(view('waiting', { gate: gate() })).blocks.find((block) => block.type === 'actions');
    for (const element of row?.elements ?? []) {
      if (element.type !== 'button') throw new Error('only buttons are expected');
      expect(element.accessibility_label).toContain('Canary backend/backend 10%: needs approval');
      expect(parseButton(element.value ?? '')).toEqual({
        workflowId: 'mesh/demo/backend/backend',
        runId: '0199c0de-0000-7000-8000-000000000001',
        opId: 'op-brisk-otter-42',
        gateId: 'g1',
        planHash: 'a'.repeat(16),
      });
    }
  });
});

/** The same view with every foreign text replaced. */
function hostile(base: OperationView, text: string, many: readonly string[]): OperationView {
  const person = { id: 'x@example.com', name: text };
  return {
    ...base,
    text,
    reason: text,
    requester: { id: 'x@example.com', name: text, slack: { teamId: 'T0', userId: text } },
    from: text,
    to: text,
    explanation: many,
    watched: many,
    stages: many.map((label, number) => ({ number, label, exposure: 0.1, state: number % 2 ? 'passed' : 'pending' })),
    ...(base.gate
      ? { gate: { ...base.gate, approvers: many.map((name) => ({ ...person, name, slackId: name })), approvals: [{ by: person, at: AT }] } }
      : {}),
    ...(base.outcome ? { outcome: { ...base.outcome, words: text } } : {}),
    ...(base.undoFailing ? { undoFailing: { ...base.undoFailing, reason: text, commands: many } } : {}),
    ...(base.verdict ? { verdict: { ...BLIND, words: text } } : {}),
  };
}
