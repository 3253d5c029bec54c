import type { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { type Cluster, FIELD_MANAGER } from '../../src/clients/kubernetes/cluster.ts';
import type { Hub } from '../../src/clients/kubernetes/hub.ts';
import { countedIn, type Evidence, isWeighed } from '../../src/domain/judge/evidence.ts';
import type { Judge } from '../../src/domain/judge/judge.ts';
import { CHANGED, type Verdict } from '../../src/domain/judge/verdict.ts';
import type { WatchInput, WatchResult } from '../../src/domain/lifecycle/contract.ts';
import { Chapters, excess } from './chapters.ts';
import { isUndone, lostVerdict, type Sibling } from './earlier.ts';
import { type FuseDeps, fireFuse } from './fuse.ts';
import type { Progress } from './progress.ts';
import type { Recorder } from './recorder.ts';
import { Series } from './series.ts';
import { Shown, type ShownDeps } from './shown.ts';

export interface WatchDeps extends FuseDeps, ShownDeps {
  readonly cluster: Cluster;
  readonly hub: Hub;
  /** Left out: what the judges hear is not kept. */
  readonly recorder?: Recorder | undefined;
}

type Drift = Extract<Evidence, { kind: 'drift' }>;

/** Time passes for the judge this often (ms). */
const TICK_MS = 250;
/** Rings are read back within 12 s, after objects that may take some seconds: a guard that nobody needs any more waits no longer for them (ms). */
const READ_BACK_WITHIN_MS = 20_000;

/** Records that come later than this blind a watch by themselves (ms): what is older had been heard. */
const LATEST_MS = 2_000;

type RunDeps = WatchDeps & { readonly context: Context; readonly sibling: Sibling };

/** One attempt under way. */
export class Run {
  readonly shown: Shown;
  readonly #deps: RunDeps;
  readonly #input: WatchInput;
  readonly #judge: Judge;
  readonly #startedAt: number;
  readonly #series: Series;
  readonly #over = Promise.withResolvers<WatchResult>();
  #since: number;
  #judged: boolean;
  #verdict: Verdict | undefined;
  #ending: NodeJS.Timeout | undefined;
  #relieved: NodeJS.Timeout | undefined;
  #opened: boolean;
  /** What came between an earlier attempt and this one is known, or there was none. */
  #isReadBack: boolean;
  /** As an earlier attempt left it. */
  readonly #watchedTo: number;

  constructor(deps: RunDeps, input: WatchInput, judge: Judge, startedAt: number, before: Progress | undefined) {
    this.#deps = deps;
    this.#input = input;
    this.#judge = judge;
    this.#startedAt = startedAt;
    this.#since = before?.since ?? startedAt;
    this.#judged = before?.judged ?? before !== undefined;
    const percent = input.view.restored ? undefined : input.stage.exposure * 100;
    this.#series = new Series(input.stage.number, percent, before?.series, input.chartFrom);
    this.shown = new Shown(deps, input);
    this.#opened = before !== undefined && before.opened !== false;
    this.#isReadBack = before === undefined;
    this.#watchedTo = Math.max(this.#since, before?.watchedTo ?? 0);
  }

  /** Takes one event. Bound, since every source calls it. */
  readonly hear = (event: Evidence): void => {
    if (this.#verdict) return;
    const counted = countedIn(event);
    if (counted) {
      this.#series.add(event.at, counted);
      this.#since = Math.max(this.#since, event.at);
    }
    this.#judged ||= isWeighed(event);
    const verdict = this.#judge.hear(event);
    if (!verdict || !this.#ends(verdict)) return;
    this.#settle(verdict, 'seenAt' in event ? event.seenAt : this.#deps.now());
  };

  /** All sources are open, and have told what they still held. */
  opened(): void {
    this.#opened = true;
    this.#isReadBack = true;
    if (this.#relieved) this.#leave();
  }

  /** A source could not be opened: the attempt ends and is repeated, unless it has decided already. */
  readonly fail = (error: unknown): void => {
    if (!this.#verdict) this.#over.reject(error);
  };

  /**
   * The next watch of the operation judges from here on, or nobody needs to: ends with what was seen. A guard that was taken over reads back first:
   * what nobody saw is in no other watch. No undo waits for a guard.
   */
  readonly relieve = (): void => {
    if (this.#isReadBack || this.#input.guardMs === undefined) return this.#leave();
    this.#relieved ??= setTimeout(() => this.#leave(), READ_BACK_WITHIN_MS);
  };

  #leave(): void {
    if (this.#verdict) return;
    this.#verdict = this.#judge.conclude(this.#deps.now());
    this.#over.resolve({ ...this.#ended({ verdict: this.#verdict }), relieved: true });
  }

  /**
   * What stands is not what the stage wrote. A first attempt has met another hand; a later one may have met the undo of an attempt before
   * it, which lost its line to Temporal and could not say that it fired.
   */
  differs(drift: Drift, signal: AbortSignal): void {
    const { context, cluster } = this.#deps;
    const isForeign = drift.manager !== '' && drift.manager !== FIELD_MANAGER;
    if (context.info.attempt === 1 || isForeign) return this.hear(drift);
    isUndone(cluster, this.#input.fuse, signal).then(
      (undone) => {
        const at = this.#deps.now();
        if (!undone) this.hear(drift);
        else if (!this.#verdict) this.#settle(lostVerdict(this.#judge.counts, at), at);
      },
      // The objects cannot be read now: what was seen is still true.
      () => this.hear(drift),
    );
  }

  /** While people are asked, or after the last stage, a blind watch keeps its fuse armed: what it sees of harm stays true. */
  #ends(verdict: Verdict): boolean {
    return verdict.kind !== 'blind' || this.#input.purpose === 'stage';
  }

  #settle(verdict: Verdict, seenAt: number): void {
    this.#verdict = verdict;
    if (verdict.kind !== 'harmful' || this.#input.purpose === 'restored') {
      const { opId, purpose } = this.#input;
      const { attempt } = this.#deps.context.info;
      this.#deps.log.info({ opId, purpose, attempt, verdict: verdict.kind, words: verdict.words }, 'watch over');
      this.#over.resolve(this.#ended({ verdict }));
      return;
    }
    // The write is on its way before anybody is told, the heartbeat included.
    const fuse = { ...this.#input.fuse, ...(verdict.harmed && { harmed: verdict.harmed }) };
    const fired = fireFuse({ ...this.#deps, progress: this.#undoing }, fuse, { seenAt, decidedAt: this.#deps.now() });
    const over = fired.then((done) => this.#ended({ verdict, ...(done && { fuse: done }) }));
    this.#over.resolve(over);
    this.#deps.sibling.keep(over);
    this.#deps.context.heartbeat(this.#progress());
  }

  /** Resolves when the soak is over or a verdict has ended it, the fuse included; rejects when cancelled before that. */
  async untilOver(cancelled: AbortSignal): Promise<WatchResult> {
    const { settings, durationMs, guardMs = durationMs } = this.#input;
    const { now, context, sibling } = this.#deps;
    const beat = (): void => context.heartbeat(this.#progress());
    const timers = [
      setInterval(beat, Math.max(100, settings.watchHeartbeatMs / 4)),
      // What has come while this process was away is read before time passes for the judge: timers run before sockets are read.
      setInterval(() => setImmediate(() => this.hear({ kind: 'tick', at: now() })), TICK_MS),
      setInterval(() => this.#edit(), settings.editEveryMs),
    ];
    this.#ending = setTimeout(() => this.#conclude(), Math.max(0, this.#startedAt + guardMs - now()));
    const stop = (): void => this.#stop();
    const replaced = (): void => {
      if (!this.#verdict) this.#over.reject(new CancelledFailure('another attempt goes on'));
    };
    sibling.takeOver(replaced);
    cancelled.addEventListener('abort', stop, { once: true });
    if (cancelled.aborted) stop();
    beat();
    try {
      return await this.#over.promise;
    } finally {
      for (const timer of timers) clearInterval(timer);
      clearTimeout(this.#ending);
      clearTimeout(this.#relieved);
      sibling.leave(replaced);
      cancelled.removeEventListener('abort', stop);
    }
  }

  #stop(): void {
    if (this.#verdict) return;
    const { context, log } = this.#deps;
    // The SDK gives an attempt up by itself, some seconds after the last heartbeat that was taken. Every write of ours is fenced.
    if (context.cancellationDetails?.timedOut)
      return log.warn({ opId: this.#input.opId }, 'Temporal takes no heartbeats; the watch goes on');
    // What was heard is evidence of the operation, so it goes back even when nobody waits for a verdict any more.
    const isHandedOver = this.#input.relievable || this.#input.evidence !== undefined;
    if (isHandedOver && context.cancellationDetails?.cancelRequested) return this.relieve();
    context.cancelled.catch((error: unknown) => this.#over.reject(error));
  }

  #ended(over: Pick<WatchResult, 'verdict' | 'fuse'>): WatchResult {
    const [startedAt, endedAt] = [this.#startedAt, this.#deps.now()];
    const judged = this.#judged || over.verdict.kind === 'harmful';
    const carried = this.#input.evidence && this.#judge.carry?.();
    const { points: series } = this.#series;
    return { ...over, counts: this.#judge.counts, series, startedAt, endedAt, judged, spent: this.#spent(), ...(carried && { carried }) };
  }

  #spent(): number {
    if (this.#judge instanceof Chapters) return this.#judge.spent;
    return excess(this.#judge.counts[CHANGED], this.#input.settings.objective);
  }

  #conclude(): void {
    if (this.#verdict) return;
    const at = this.#deps.now();
    // Evidence of this time is still to come: it is waited for, until it is there or the judge is blind. Who takes a watch over after its end has seen nothing
    // of what came since the attempt before: a source that does not open ends this attempt, too.
    if (!this.#isReadBack || this.#judge.pending?.(at) !== undefined) {
      this.#ending = setTimeout(() => this.#conclude(), TICK_MS);
      return;
    }
    this.#settle(this.#judge.conclude(at), at);
  }

  #progress(): Progress {
    const { points: series } = this.#series;
    const base = {
      startedAt: this.#startedAt,
      since: this.#since,
      watchedTo: this.#opened && this.#isReadBack ? this.#deps.now() - LATEST_MS : this.#watchedTo,
      judge: this.#judge.snapshot(),
      series,
      judged: this.#judged,
      opened: this.#opened,
    };
    return this.#verdict?.kind === 'harmful' ? { ...base, harmful: this.#verdict } : base;
  }

  /** A fuse that replaces pods takes minutes: people see how far it is, and the heartbeat goes on. */
  readonly #undoing = (done: number, of: number): void => {
    const verdict = this.#verdict;
    if (verdict) this.shown.edit(this.#judge.counts, verdict, { done, of });
  };

  #edit(): void {
    if (!this.#verdict) this.shown.edit(this.#judge.counts, this.#judge.conclude(this.#deps.now()));
  }
}
