import { expect, it } from 'vitest';
import { createAnnounce } from '../../../activities/announce/index.ts';
import type { SlackMessages } from '../../../src/clients/slack.ts';
import { view } from '../../messages/views.ts';

it('the note of a failing undo says why it fails, where that is known', async () => {
  const posted: string[] = [];
  const slack = {
    post: async (_channel: string, message: object) => {
      posted.push(JSON.stringify(message));
      return '1.2';
    },
    history: async () => [],
  } as unknown as SlackMessages;
  const failing = { since: 0, reason: 'the API server does not take the write', commands: [] };
  const shown = view('restoring', { undoFailing: failing });
  const say = async (lastFailure: () => Promise<string | undefined>) => {
    const announce = createAnnounce({ slack, now: () => 60_000, attempt: () => 1, lastFailure });
    const note = { kind: 'undo-failing', reason: failing.reason, commands: [] } as const;
    await announce.say({ view: shown, thread: { channelId: 'C0MESH', ts: '1.1' }, note, key: 'k' });
    return posted.at(-1);
  };
  expect(await say(async () => 'admission webhook "guard" denied the request')).toContain('admission webhook');
  expect(await say(async () => undefined)).toContain(failing.reason);
});
