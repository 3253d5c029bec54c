import { Context } from '@temporalio/activity';
import type { Evidence } from '../../src/domain/evidence.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import type { WatchInput, WatchResult } from '../contract.ts';
import { retold, Siblings } from './earlier.ts';
import { fireFuse } from './fuse.ts';
import type { Progress } from './progress.ts';
import { parseProgress } from './progress.ts';
import { Run, type WatchDeps } from './run.ts';
import { checkStanding, followStanding } from './standing.ts';
import type { OpenOptions, Watching } from './watching.ts';

/**
 * The one long activity of a stage: evidence into the judge, event by event; on harm the fuse, before anything else. A later
 * attempt goes on from the heartbeats of an earlier one. Cancellation, by the workflow or by the end of this worker, is rethrown. That
 * Temporal takes no heartbeats ends nothing: what is in force is watched until the soak is over or another attempt goes on here.
 */
export function createWatch(deps: WatchDeps, watching: Watching): (input: WatchInput) => Promise<WatchResult> {
  const siblings = new Siblings();
  return async (input) => {
    // Taken once: events arrive on streams that other activities opened, where the current context is not ours.
    const context = Context.current();
    const { info, cancellationSignal } = context;
    const before = parseProgress(info.heartbeatDetails);
    const startedAt = before?.startedAt ?? deps.now();
    const sibling = siblings.of(`${info.workflowExecution?.runId}/${info.activityId}`);
    const earlier = sibling.told();
    if (earlier) return retold(context, before, earlier);
    if (before?.harmful && input.purpose !== 'restored') return resumeFuse(deps, input, before, before.harmful);
    const watchOver = new AbortController();
    const judge = watching.judge(input, startedAt, before?.judge);
    const settings = watching.settings?.(input, startedAt);
    const recording = settings && deps.recorder?.begin(settings, judge, before !== undefined);
    const run = new Run({ ...deps, context, sibling }, input, recording?.judge ?? judge, startedAt, before);
    let verdict: Verdict | undefined;
    try {
      // Heartbeats and the clock run while the sources open.
      const over = run.untilOver(cancellationSignal);
      begin(deps, watching, input, run, { since: before?.since ?? startedAt, signal: watchOver.signal, remarks: run.remarks }).catch(
        run.fail,
      );
      const result = await over;
      ({ verdict } = result);
      return result;
    } finally {
      watchOver.abort();
      const { opId, stage, purpose } = input;
      const about = { opId, stage: stage.number, purpose, startedAt, attempt: info.attempt, endedAt: deps.now() };
      recording?.end({ ...about, ...(verdict && { verdict: verdict.kind }) });
    }
  };
}

/** Before anything is judged: is the stage still in force? What is found meanwhile is drift. */
async function begin(deps: WatchDeps, watching: Watching, input: WatchInput, run: Run, options: OpenOptions): Promise<void> {
  if (input.purpose !== 'restored' && !input.drifted) {
    const { drift, versions } = await checkStanding(deps, input, options.signal);
    const hear = (event: Evidence): void => (event.kind === 'drift' ? run.differs(event, options.signal) : run.hear(event));
    if (drift) return hear(drift);
    followStanding(deps, input, versions, hear, options.signal);
  }
  await watching.open(input, run.hear, options);
}

/** An earlier attempt decided and did not live to tell: fire again, which changes nothing where it has been done. */
async function resumeFuse(
  deps: WatchDeps,
  input: WatchInput,
  before: Progress,
  verdict: NonNullable<Progress['harmful']>,
): Promise<WatchResult> {
  Context.current().heartbeat(before);
  const now = deps.now();
  const fuse = await fireFuse(deps, input.fuse, { seenAt: now, decidedAt: now });
  const { startedAt, series } = before;
  return { verdict, ...(fuse && { fuse }), counts: verdict.counts, series, startedAt, endedAt: deps.now() };
}
