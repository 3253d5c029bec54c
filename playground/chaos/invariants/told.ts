import type { OperationTruth } from '../operation-truth.ts';
import type { Truth } from '../truth.ts';

const TOLD =
  /not (being )?watched|nobody watches|no watch|unwatched|without a (watch|fuse)|no fuse|is gone|has vanished|ended by hand|terminated/i;

/** Was it said in the channel since then that something is in force and nobody watches it? */
export function wasTold(truth: Truth, since: number): boolean {
  const { slack } = truth.world;
  return [...slack.messages.values()].some(
    ({ text, editedAt }) => editedAt >= since && TOLD.test(`${text.text} ${JSON.stringify(text.blocks)}`),
  );
}

/** A run that somebody ended by hand undoes nothing any more: what is owed then is that people know, so that they can take it back. */
export function isKnownToBeGone(truth: Truth, { run, closedAt }: OperationTruth): boolean {
  return run.status === 'TERMINATED' && closedAt !== undefined && wasTold(truth, closedAt);
}
