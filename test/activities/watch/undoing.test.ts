import { afterEach, expect, it, vi } from 'vitest';
import { showingUndo } from '../../../activities/watch/undoing.ts';
import type { OperationView } from '../../../src/domain/lifecycle/operation.ts';
import { SILENT } from '../../../src/log.ts';
import { renderRoot } from '../../../src/messages/message.ts';
import { view } from '../../messages/views.ts';

afterEach(() => void vi.useRealTimers());

it('people see how far an undo is that takes minutes, and an edit that was dropped is made up for', async () => {
  vi.useFakeTimers();
  const shown: string[] = [];
  let dropped = 1;
  const editMessage = async (of: OperationView, live: NonNullable<OperationView['live']>): Promise<void> => {
    if (dropped-- > 0) throw new Error('too many edits');
    shown.push(JSON.stringify(renderRoot({ ...of, live }).blocks));
  };
  const over = Promise.withResolvers<string>();
  const done = showingUndo({ editMessage, now: Date.now, log: SILENT }, view('restoring'), async (progress) => {
    progress(1, 3);
    return over.promise;
  });
  expect(shown).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(shown.at(-1)).toContain('Rolling back: 1 of 3 pods are replaced again.');
  over.resolve('restored');
  expect(await done).toBe('restored');
  const { length } = shown;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(shown).toHaveLength(length);
});
