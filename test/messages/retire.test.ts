import { describe, expect, test } from 'vitest';
import { acceptMessageBlocks } from '../../playground/slack/block-kit/accept.ts';
import type { SlackMessages, SlackText, StoredMessage } from '../../src/clients/slack.ts';
import { renderRoot } from '../../src/messages/message.ts';
import { retireButtons } from '../../src/messages/retire.ts';
import { stages, view } from './views.ts';

const REF = { channelId: 'C0MESH', ts: '1.0' };

/** A Slack that holds one message. */
function slackWith(rendered: SlackText | undefined) {
  const updates: SlackText[] = [];
  let shown = rendered;
  const read = async (): Promise<StoredMessage | undefined> =>
    shown && {
      ts: REF.ts,
      files: [],
      text: shown.text,
      blocks: shown.blocks,
      ...(shown.metadata && { event: { type: shown.metadata.event_type, payload: shown.metadata.event_payload } }),
    };
  const update = async (_channel: string, _ts: string, message: SlackText): Promise<void> => {
    updates.push(message);
    shown = message;
  };
  return { slack: { read, update } as unknown as SlackMessages, updates };
}

const outcome = { kind: 'completed', code: 'Completed', words: 'All stages are in force.' } as const;

describe('a message of an operation that is over', () => {
  test('loses what it offered once another one has completed, and nothing else', async () => {
    const root = renderRoot(view('over', { outcome, stages: stages('passed') }));
    const before = JSON.stringify(root.blocks);
    expect(before).toMatch(/meshops:next-promote.*meshops:next-rollback/);
    const { slack, updates } = slackWith(root);
    await retireButtons(slack, REF);
    const [after] = updates;
    acceptMessageBlocks(after?.blocks ?? [], 50);
    const text = JSON.stringify(after?.blocks);
    expect(text).not.toContain('meshops:next-');
    expect(text).toMatch(/meshops:status.*meshops:history/);
    expect(text).toContain('A later operation has changed this target');
    expect(text).not.toContain('Promote when you are ready');
    expect(after).toMatchObject({ text: root.text, metadata: root.metadata });
  });

  test('is edited once, and a message of somebody else never', async () => {
    const { slack, updates } = slackWith(renderRoot(view('over', { outcome, stages: stages('passed') })));
    await retireButtons(slack, REF);
    await retireButtons(slack, REF);
    expect(updates).toHaveLength(1);
    const { metadata: _, ...foreign } = renderRoot(view('over', { outcome }));
    const other = slackWith(foreign);
    await retireButtons(other.slack, REF);
    const gone = slackWith(undefined);
    await retireButtons(gone.slack, REF);
    expect([...other.updates, ...gone.updates]).toEqual([]);
  });
});
