import { NO_COUNTS } from '../../src/domain/judge/verdict.ts';
import type { OperationView } from '../../src/domain/lifecycle/operation.ts';
import type { Log } from '../../src/log.ts';
import type { ShownDeps } from './shown.ts';

type Progress = (done: number, of: number) => void;

/** Slack takes about one edit a second, for all operations: one that is dropped is made up for by the next. Milliseconds. */
const EVERY_MS = 2_000;

interface Deps extends Pick<ShownDeps, 'editMessage' | 'now'> {
  readonly log: Log;
}

/** Shows in the root message how far an undo is that takes minutes, until it is over. Without a `view` it only does the work. */
export async function showingUndo<T>(deps: Deps, view: OperationView | undefined, undo: (progress: Progress) => Promise<T>): Promise<T> {
  let undoing: { readonly done: number; readonly of: number } | undefined;
  const show = (): void => {
    if (!view || !undoing) return;
    deps
      .editMessage(view, { counts: NO_COUNTS, canaryShare: 0, at: deps.now(), undoing })
      .catch((error: unknown) => deps.log.warn({ opId: view.opId, err: error }, 'how far the undo is was not shown'));
  };
  const timer = setInterval(show, EVERY_MS);
  try {
    return await undo((done, of) => {
      undoing = { done, of };
      show();
    });
  } finally {
    clearInterval(timer);
  }
}
