import { Context } from '@temporalio/activity';
import type { Evidence } from '../../src/domain/evidence.ts';
import type { Judge } from '../../src/domain/judge/judge.ts';
import type { OperationView } from '../../src/domain/operation.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { type Cluster, FIELD_MANAGER } from '../clients/kubernetes/cluster.ts';
import type { Hub } from '../clients/kubernetes/hub.ts';
import type { WatchInput, WatchResult } from '../contract.ts';
import { Fired, isUndone, lostVerdict, retold, type Sibling } from './earlier.ts';
import type { FuseDeps } from './fuse.ts';
import { fireFuse } from './fuse.ts';
import type { Progress } from './progress.ts';
import { parseProgress } from './progress.ts';
import type { Recorder } from './recorder.ts';
import { Series } from './series.ts';
import { checkStanding, followStanding } from './standing.ts';
import type { Watching } from './watching.ts';

export interface WatchDeps extends FuseDeps {
  readonly cluster: Cluster;
  readonly hub: Hub;
  /** Left out: what the judges hear is not kept. */
  readonly recorder?: Recorder | undefined;
  /** Shows live numbers in the root message. Never awaited by anything that matters. */
  readonly editMessage: (view: OperationView, live: NonNullable<OperationView['live']>) => Promise<void>;
}

type Drift = Extract<Evidence, { kind: 'drift' }>;

/** Time passes for the judge this often (ms). */
const TICK_MS = 250;

/**
 * The one long activity of a stage: evidence into the judge, event by event; on harm the fuse, before anything else. A later
 * attempt goes on from the heartbeats of an earlier one. Cancellation, by the workflow or by the end of this worker, is rethrown.
 */
export function createWatch(deps: WatchDeps, watching: Watching): (input: WatchInput) => Promise<WatchResult> {
  const fired = new Fired();
  return async (input) => {
    // Taken once: events arrive on streams that other activities opened, where the current context is not ours.
    const context = Context.current();
    const { info, cancellationSignal } = context;
    const before = parseProgress(info.heartbeatDetails);
    const startedAt = before?.startedAt ?? deps.now();
    const sibling = fired.of(`${info.workflowExecution?.runId}/${info.activityId}`);
    const earlier = sibling.told();
    if (earlier) return retold(context, before, earlier);
    if (before?.harmful && input.purpose !== 'restored') return resumeFuse(deps, input, before, before.harmful);
    const watchOver = new AbortController();
    const signal = AbortSignal.any([cancellationSignal, watchOver.signal]);
    const judge = watching.judge(input, startedAt, before?.judge);
    const settings = watching.settings?.(input, startedAt);
    const recording = settings && deps.recorder?.begin(settings, judge, before !== undefined);
    const run = new Run({ ...deps, context, sibling }, input, recording?.judge ?? judge, startedAt, before);
    let verdict: Verdict | undefined;
    try {
      // Heartbeats and the clock run while the sources open.
      const over = run.untilOver(cancellationSignal);
      begin(deps, watching, input, run, { since: before?.since ?? startedAt, signal }).catch(run.fail);
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
async function begin(
  deps: WatchDeps,
  watching: Watching,
  input: WatchInput,
  run: Run,
  options: { readonly since: number; readonly signal: AbortSignal },
): Promise<void> {
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
  return { verdict, fuse, counts: verdict.counts, series, startedAt, endedAt: deps.now() };
}

type RunDeps = WatchDeps & { readonly context: Context; readonly sibling: Sibling };

/** One attempt under way. */
class Run {
  readonly #deps: RunDeps;
  readonly #input: WatchInput;
  readonly #judge: Judge;
  readonly #startedAt: number;
  readonly #series: Series;
  readonly #over = Promise.withResolvers<WatchResult>();
  #since: number;
  #verdict: Verdict | undefined;
  #editing = false;

  constructor(deps: RunDeps, input: WatchInput, judge: Judge, startedAt: number, before: Progress | undefined) {
    this.#deps = deps;
    this.#input = input;
    this.#judge = judge;
    this.#startedAt = startedAt;
    this.#since = before?.since ?? startedAt;
    this.#series = new Series(input.stage.number, input.stage.exposure * 100, before?.series);
  }

  /** Takes one event. Bound, since every source calls it. */
  readonly hear = (event: Evidence): void => {
    if (this.#verdict) return;
    if (event.kind === 'request' || event.kind === 'connection') {
      this.#series.add(event);
      this.#since = Math.max(this.#since, event.at);
    }
    const verdict = this.#judge.hear(event);
    if (!verdict || !this.#ends(verdict)) return;
    this.#settle(verdict, 'seenAt' in event ? event.seenAt : this.#deps.now());
  };

  /** A source could not be opened: the attempt ends and is repeated, unless it has decided already. */
  readonly fail = (error: unknown): void => {
    if (!this.#verdict) this.#over.reject(error);
  };

  /**
   * What stands is not what the stage wrote. A first attempt has met another hand; a later one may have met the undo of an attempt before
   * it, which lost its line to Temporal and could not say that it fired.
   */
  differs(drift: Drift, signal: AbortSignal): void {
    const { context, cluster, sibling } = this.#deps;
    const isForeign = drift.manager !== '' && drift.manager !== FIELD_MANAGER;
    if (context.info.attempt === 1 || isForeign) return this.hear(drift);
    isUndone(cluster, this.#input.fuse, signal).then(
      (undone) => (undone ? this.#undoneBy(sibling.told()) : this.hear(drift)),
      // The objects cannot be read now: what was seen is still true.
      () => this.hear(drift),
    );
  }

  #undoneBy(told: Promise<WatchResult> | undefined): void {
    if (this.#verdict) return;
    const at = this.#deps.now();
    const verdict = lostVerdict(this.#judge.counts, at);
    if (!told) return this.#settle(verdict, at);
    this.#verdict = verdict;
    this.#over.resolve(told);
  }

  /** While people are asked, or after the last stage, a blind watch keeps its fuse armed: what it sees of harm stays true. */
  #ends(verdict: Verdict): boolean {
    return verdict.kind !== 'blind' || this.#input.purpose === 'stage';
  }

  #settle(verdict: Verdict, seenAt: number): void {
    this.#verdict = verdict;
    if (verdict.kind !== 'harmful' || this.#input.purpose === 'restored') {
      this.#over.resolve(this.#ended({ verdict }));
      return;
    }
    // The write is on its way before anybody is told, the heartbeat included.
    const fired = fireFuse(this.#deps, this.#input.fuse, { seenAt, decidedAt: this.#deps.now() });
    const over = fired.then((fuse) => this.#ended({ verdict, fuse }));
    this.#over.resolve(over);
    this.#deps.sibling.keep(over);
    this.#deps.context.heartbeat(this.#progress());
  }

  /** Resolves when the soak is over or a verdict has ended it, the fuse included; rejects when cancelled before that. */
  async untilOver(cancelled: AbortSignal): Promise<WatchResult> {
    const { settings, durationMs } = this.#input;
    const { now, context } = this.#deps;
    const beat = (): void => context.heartbeat(this.#progress());
    const timers = [
      setInterval(beat, Math.max(100, settings.watchHeartbeatMs / 4)),
      setInterval(() => this.hear({ kind: 'tick', at: now() }), TICK_MS),
      setInterval(() => this.#edit(), settings.editEveryMs),
    ];
    const end = setTimeout(() => this.#conclude(), Math.max(0, this.#startedAt + durationMs - now()));
    const stop = (): void => {
      if (this.#verdict) return;
      context.cancelled.catch((error: unknown) => this.#over.reject(error));
    };
    cancelled.addEventListener('abort', stop, { once: true });
    if (cancelled.aborted) stop();
    beat();
    try {
      return await this.#over.promise;
    } finally {
      for (const timer of timers) clearInterval(timer);
      clearTimeout(end);
      cancelled.removeEventListener('abort', stop);
    }
  }

  #ended(over: Pick<WatchResult, 'verdict' | 'fuse'>): WatchResult {
    const [startedAt, endedAt] = [this.#startedAt, this.#deps.now()];
    return { ...over, counts: this.#judge.counts, series: this.#series.points, startedAt, endedAt };
  }

  #conclude(): void {
    if (this.#verdict) return;
    const at = this.#deps.now();
    this.#settle(this.#judge.conclude(at), at);
  }

  #progress(): Progress {
    const base = { startedAt: this.#startedAt, since: this.#since, judge: this.#judge.snapshot(), series: this.#series.points };
    return this.#verdict?.kind === 'harmful' ? { ...base, harmful: this.#verdict } : base;
  }

  #edit(): void {
    if (this.#editing || this.#verdict) return;
    this.#editing = true;
    const { counts } = this.#judge;
    const all = counts.canary.requests + counts.stable.requests;
    const live = { counts, canaryShare: all === 0 ? 0 : counts.canary.requests / all, at: this.#deps.now() };
    this.#deps
      .editMessage(this.#input.view, live)
      .catch((error: unknown) => this.#deps.log.warn({ opId: this.#input.opId, err: error }, 'the live numbers were not shown'))
      .finally(() => {
        this.#editing = false;
      });
  }
}
