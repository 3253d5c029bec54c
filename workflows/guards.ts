import { ActivityFailure, CancellationScope, isCancellation, patched, TimeoutFailure } from '@temporalio/workflow';
import type { Verdict } from '../src/domain/judge/verdict.ts';
import type { WatchInput, WatchResult } from '../src/domain/lifecycle/contract.ts';
import type { OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import type { Plan, PlannedStage } from '../src/domain/lifecycle/plan.ts';

export interface WatchOptions extends Pick<WatchInput, 'drifted' | 'applying' | 'guardMs' | 'relievable' | 'postponed'> {
  /** What entitles its fuse; left out: the token of the stage. */
  readonly holder?: WatchInput['fuse']['holder'];
}

export interface GuardOptions {
  /** People are asked about what somebody else has changed: it is not found again. */
  readonly drifted?: boolean;
  /** This stage is being written: what stands is in between, and so is what entitles the fuse. */
  readonly applying?: PlannedStage;
}

/** What an operation's guards must know of it. */
interface Guarded {
  readonly exposed: PlannedStage | undefined;
  readonly plan: Plan | undefined;
  readonly spent: number;
  readonly request: OperationRequest;
  readonly written: readonly { readonly stage: number }[];
  readonly forward: CancellationScope;
}

/** Watches what a stage has exposed. */
type WatchStage = (stage: PlannedStage, durationMs: number, options: WatchOptions) => Promise<WatchResult>;

interface Followed {
  readonly scope: CancellationScope;
  readonly watching: Promise<WatchResult>;
  readonly stage: PlannedStage;
}

interface Current {
  readonly scope: CancellationScope;
  /** What it guards, and how. */
  readonly key: string;
  readonly options: GuardOptions;
  readonly parent: CancellationScope;
  /** What was known to be used of the budget when it began. */
  readonly spent: number;
}

/** A guard is one activity, so that days of it are a handful of events. */
const GUARD_MS = 7 * 24 * 3_600_000;
/** What the judges of a guard plan with, one after the other. */
const JUDGED_MS = 15 * 60_000;

/**
 * The watch beside everything that is no watch itself: questions, plans, freezes, writes. At most one counts; one that is relieved ends in
 * its own time, and its harm counts all the same. It finds harm: everything forward is stopped. It finds drift: whoever waits is told.
 */
export class Guards {
  /** What the present guard has found changed by somebody else. */
  drift: Verdict | undefined;
  /** Why everything forward was stopped. */
  harm: Ending | undefined;
  /** Number of the stage that did it. */
  harmful: number | undefined;
  /** A guard that could not do its work: nothing is left exposed without one. */
  failure: { readonly error: unknown } | undefined;
  readonly #course: Guarded;
  readonly #watch: WatchStage;
  readonly #ending = new Set<Promise<void>>();
  #current: Current | undefined;

  constructor(course: Guarded, watch: WatchStage) {
    this.#course = course;
    this.#watch = watch;
  }

  /** Guards what is in force, or the stage that is being written. The guard before it is relieved; the same one goes on. */
  arm(options: GuardOptions = {}, parent = CancellationScope.current()): void {
    const { exposed, plan } = this.#course;
    const stage = options.applying?.soakMs === 0 ? exposed : (options.applying ?? exposed);
    const before = this.#current;
    const key = `${stage?.number}/${options.applying?.number}/${options.drifted}`;
    if (before?.key === key) return;
    [this.#current, this.drift] = [undefined, undefined];
    if (stage && plan && stage.soakMs !== 0) {
      const current = { scope: new CancellationScope({ cancellable: true, parent }), key, options, parent, spent: this.#course.spent };
      this.#current = current;
      const watching = current.scope.run(() => this.#watch(stage, JUDGED_MS, this.#optionsOf(options)));
      this.#follow({ scope: current.scope, watching, stage }, (result) => this.#over(current, result, options));
    }
    before?.scope.cancel();
  }

  /**
   * A watch that was relieved has told what it has used of the budget, and the guard began before that was known: it begins anew with what
   * is left.
   */
  spentMore(): void {
    const current = this.#current;
    const { spent, request } = this.#course;
    if (!current || request.settings.budget === undefined || spent <= current.spent || !patched('spent-late')) return;
    this.#current = undefined;
    // Where it was armed, not where the other one ended: that may be stopped.
    this.arm(current.options, current.parent);
    current.scope.cancel();
  }

  #optionsOf({ drifted, applying }: GuardOptions): WatchOptions {
    const base = { guardMs: GUARD_MS, relievable: true, ...(drifted && { drifted }) };
    if (!applying) return base;
    const since = Math.max(0, ...this.#course.written.map(({ stage }) => stage).filter((stage) => stage < applying.number));
    return { ...base, applying: true, holder: { stage: applying.number, since } };
  }

  /** The next watch judges from here on. */
  relieve(): void {
    this.#current?.scope.cancel();
    [this.#current, this.drift] = [undefined, undefined];
  }

  /** A watch that is not waited for any more: its harm counts all the same. */
  leave(scope: CancellationScope, watching: Promise<WatchResult>, stage: PlannedStage): void {
    scope.cancel();
    this.#follow({ scope, watching, stage }, () => undefined);
  }

  /** Harm of a stage that was not being watched for itself any more, or not yet: how the operation ends. */
  found(verdict: Verdict, { number }: PlannedStage): Ending {
    this.harmful ??= number;
    return harm(verdict);
  }

  /** Resolves when every guard has said its last word. */
  async over(): Promise<void> {
    this.relieve();
    await Promise.all(this.#ending);
  }

  #follow({ scope, watching, stage }: Followed, then: (result: WatchResult) => void): void {
    const ending = watching
      .then((result) => {
        if (result.verdict.kind === 'harmful') this.#stop(this.found(result.verdict, stage));
        else then(result);
        if (result.relieved) this.spentMore();
      })
      .catch((error: unknown) => {
        // Relieved, and its worker was gone before it heard so: nobody waited for it any more.
        const isLost = scope.consideredCancelled && isTimeout(error) && patched('relieved-and-lost');
        if (isCancellation(error) || isLost) return;
        this.failure ??= { error };
        this.#course.forward.cancel();
      })
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #over(which: Current, { relieved, verdict }: WatchResult, options: GuardOptions): void {
    if (this.#current !== which || relieved) return;
    this.#current = undefined;
    if (verdict.kind === 'drift') this.drift = verdict;
    else this.arm(options);
  }

  #stop(why: Ending): void {
    this.harm ??= why;
    this.#course.forward.cancel();
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
}

/** How a harmful verdict ends the operation. */
export function harm(verdict: WatchResult['verdict']): Ending {
  const code = verdict.kind === 'harmful' && verdict.judge === 'budget' ? 'Budget' : 'Harmful';
  return { kind: 'rolled-back', code, verdict };
}
