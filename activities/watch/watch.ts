import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { isFailure } from '../../src/clients/kubernetes/failure.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { alphaFor } from '../../src/domain/judge/alpha.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import type { Judge } from '../../src/domain/judge/judge.ts';
import type { Verdict } from '../../src/domain/judge/verdict.ts';
import type { WatchInput, WatchResult } from '../../src/domain/lifecycle/contract.ts';
import { type Chapter, Chapters } from './chapters.ts';
import { retold, Siblings } from './earlier.ts';
import { fireFuse } from './fuse.ts';
import { type Progress, parseProgress } from './progress.ts';
import type { About } from './recorder.ts';
import { Run, type WatchDeps } from './run.ts';
import { checkStanding, followDifferences, followStanding } from './standing.ts';
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
    const sibling = siblings.of({ run: info.workflowExecution?.runId ?? '', id: info.activityId });
    const earlier = sibling.told();
    if (earlier) return retold(context, before, earlier);
    if (before?.harmful && input.purpose !== 'restored') return resumeFuse(deps, input, before, before.harmful);
    const watchOver = new AbortController();
    const { judge, end } = judging(deps, watching, input, { startedAt, attempt: info.attempt, before });
    const run = new Run({ ...deps, context, sibling }, input, judge, startedAt, before);
    if (input.relievable) sibling.guards(run.relieve);
    let verdict: Verdict | undefined;
    try {
      // Heartbeats and the clock run while the sources open.
      const over = run.untilOver(cancellationSignal);
      const resumed = before !== undefined && before.opened !== false;
      const since = before?.since ?? startedAt;
      const watchedTo = Math.max(since, before?.watchedTo ?? since);
      const options = { since, watchedTo, resumed, signal: watchOver.signal, remarks: run.shown.remarks };
      const opened =
        input.guardMs === undefined ? begin(deps, watching, input, run, options) : keepOpen(deps, watching, input, run, options);
      opened.then(() => sibling.relieveGuards()).catch(run.fail);
      const result = await over;
      ({ verdict } = result);
      return result;
    } finally {
      watchOver.abort();
      end(verdict);
    }
  };
}

interface Judging {
  readonly judge: Judge;
  readonly end: (verdict: Verdict | undefined) => void;
}

/** The judge of a watch, written down where it can be replayed; of a guard that draws on chance, one after the other. */
function judging(
  deps: WatchDeps,
  watching: Watching,
  input: WatchInput,
  { startedAt, attempt, before }: { readonly startedAt: number; readonly attempt: number; readonly before: Progress | undefined },
): Judging {
  const one = (of: WatchInput, from: number, resumed: JsonObject | undefined): Judging => {
    const judge = watching.judge(of, from, resumed);
    const settings = watching.settings?.(of, from);
    const recording = settings && deps.recorder?.begin(settings, judge, resumed !== undefined || of.evidence?.carried !== undefined);
    const end = (verdict: Verdict | undefined): void => {
      const about: About = { opId: of.opId, stage: of.stage.number, purpose: of.purpose, startedAt: from, attempt, endedAt: deps.now() };
      recording?.end({ ...about, ...(verdict && { verdict: verdict.kind }) });
    };
    return { judge: recording?.judge ?? judge, end };
  };
  if (input.guardMs === undefined || !watching.settings) return one(input, startedAt, before?.judge);
  let last: Judging | undefined;
  const begin = (number: number, from: number, spent: number, resumed?: JsonObject): Chapter => {
    const of = { ...input, alpha: alphaFor(input.alpha, number), ...(input.spent !== undefined && { spent: input.spent + spent }) };
    const next = one(of, from, resumed);
    last = next;
    return { judge: next.judge, end: () => next.end(undefined) };
  };
  const { objective } = input.settings;
  const judge = new Chapters({ begin, lengthMs: input.durationMs, startedAt, objective }, before?.judge);
  return { judge, end: (verdict) => last?.end(verdict) };
}

/** Before anything is judged: is the stage still in force? What is found meanwhile is drift. */
async function begin(deps: WatchDeps, watching: Watching, input: WatchInput, run: Run, options: OpenOptions): Promise<void> {
  if (input.drifted) followDifferences(deps, input, run.shown.differs, options.signal);
  if (input.purpose !== 'restored' && !input.drifted && !input.applying) {
    const { drift, versions } = await checkStanding(deps, input, options.signal);
    const hear = (event: Evidence): void => (event.kind === 'drift' ? run.differs(event, options.signal) : run.hear(event));
    if (drift) return hear(drift);
    followStanding(deps, input, versions, hear, options.signal);
  }
  await watching.open(input, run.hear, options);
  run.opened();
}

const OPEN_AGAIN_MS = 1_000;
const SOURCES = 'what the watch reads';

/** A guard that cannot open its sources is blind, not over: it opens them again until it can. Only what no try can mend ends it. */
async function keepOpen(deps: WatchDeps, watching: Watching, input: WatchInput, run: Run, options: OpenOptions): Promise<void> {
  for (;;) {
    const attempt = new AbortController();
    try {
      await begin(deps, watching, input, run, { ...options, signal: AbortSignal.any([options.signal, attempt.signal]) });
      return run.hear({ kind: 'sight', at: deps.now(), node: SOURCES });
    } catch (error) {
      attempt.abort();
      if (options.signal.aborted || isFailure(error, 'Forbidden', 'Unauthorized', 'Invalid', 'BadRequest')) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      deps.log.warn({ opId: input.opId, err: error }, 'a guard could not open what it watches; it tries again');
      run.hear({ kind: 'gap', at: deps.now(), node: SOURCES, reason });
      await sleep(OPEN_AGAIN_MS, undefined, { signal: options.signal });
    }
  }
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
