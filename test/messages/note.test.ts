import { describe, expect, it } from 'vitest';
import { acceptMessageBlocks } from '../../playground/slack/block-kit/accept.ts';
import type { Note } from '../../src/domain/lifecycle/contract.ts';
import { renderNote } from '../../src/messages/note.ts';
import { AT, BLIND, HARMFUL, view } from './views.ts';

const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
const restored = { kind: 'restored', objects: [{ object, state: 'restored' }], exact: true, at: AT + 61_300 } as const;

const notes: readonly { readonly note: Note; readonly says: readonly string[] }[] = [
  {
    note: { kind: 'plan-changed', differences: Array(200).fill('backend weight 100 → <50>') },
    says: ['Approvals no longer count', '&lt;50&gt;', 'more'],
  },
  {
    note: { kind: 'approved', by: { id: 'r', name: 'Reviewer', slackId: 'U0REVIEWER' }, remaining: 1 },
    says: ['<@U0REVIEWER> approved. 1 more approval needed.'],
  },
  { note: { kind: 'approved', by: { id: 'r', name: 'Reviewer' }, remaining: 0 }, says: ['*Reviewer* approved. Continuing now.'] },
  { note: { kind: 'verdict', verdict: BLIND, stage: '10%' }, says: ['Cannot see everything at 10%', 'node-2 lost 40 events'] },
  {
    note: { kind: 'fuse', verdict: HARMFUL, restore: restored },
    says: ['17 of 88', 'decided 1.2 s later', 'exactly as before', 'decided 1.2 s later'],
  },
  {
    note: { kind: 'fuse', verdict: HARMFUL, restore: { kind: 'superseded', object, token: 'op-other/2', at: AT } },
    says: ['not rolled back: backend is held by op-other/2'],
  },
  {
    note: { kind: 'fuse', verdict: HARMFUL, restore: { ...restored, exact: false, objects: [{ object, state: 'gone' }] } },
    says: ['HTTPRoute backend/backend was deleted or replaced'],
  },
  {
    note: { kind: 'fuse', verdict: { ...HARMFUL, judge: 'readiness', words: 'backend-canary has no ready endpoint.' }, restore: restored },
    says: ['No ready endpoint since'],
  },
  {
    note: { kind: 'undo-failing', reason: '<!channel>', commands: ['kubectl get ```'] },
    says: ['&lt;!channel&gt;', "```\nkubectl get '''\n```"],
  },
  {
    note: { kind: 'declined', ending: { kind: 'rejected', code: 'Rejected', by: { id: 'r', name: 'Reviewer' }, reason: 'too early' } },
    says: ['rejected by Reviewer: too early'],
  },
  { note: { kind: 'outcome' }, says: ['Canary backend/backend'] },
];

describe('a note in the thread', () => {
  it('calls the group that is on call when an undo keeps failing, and for nothing else', () => {
    const failing = renderNote({ kind: 'undo-failing', reason: 'r', commands: [] }, view('restoring'), 'S0ONCALL');
    acceptMessageBlocks(failing.blocks, 50);
    expect([failing.text, JSON.stringify(failing.blocks)]).toEqual([
      expect.stringContaining('<!subteam^S0ONCALL>'),
      expect.stringContaining('<!subteam^S0ONCALL>'),
    ]);
    expect(JSON.stringify(renderNote({ kind: 'outcome' }, view('restoring'), 'S0ONCALL'))).not.toContain('subteam');
  });

  it.each(notes)('$note.kind is accepted by Slack and says what matters', ({ note, says }) => {
    const { text, blocks } = renderNote(note, view('watching'));
    acceptMessageBlocks(blocks, 50);
    expect(text).not.toBe('');
    const all = JSON.stringify(blocks).replaceAll('\\n', '\n');
    for (const words of says) expect(all).toContain(words);
    expect(all).not.toMatch(/undefined|NaN|<!channel/);
  });

  it('gives commands whole or not at all', () => {
    const long = `kubectl patch -p '${'x'.repeat(2000)}'`;
    const { blocks } = renderNote(
      { kind: 'undo-failing', reason: 'r', commands: [long, long, 'y'.repeat(5000), 'kubectl get'] },
      view('restoring'),
    );
    acceptMessageBlocks(blocks, 50);
    const shown = JSON.stringify(blocks);
    expect(shown.split(long)).toHaveLength(3);
    expect(shown).not.toContain('yyy');
    expect(shown).toContain('1 more command did not fit here.');
  });
});
