import type { KubeObject, Route } from '../../src/clients/kubernetes/objects.ts';
import type { WatchInput, WatchResult } from '../../src/domain/lifecycle/contract.ts';
import type { Decision } from '../../src/domain/lifecycle/gate.ts';
import type { OperationRequest, OperationView, Outcome, Phase } from '../../src/domain/lifecycle/operation.ts';
import type { Happening } from './step.ts';
import type { Attempt } from './temporal/attempt.ts';
import type { WorkflowRun } from './temporal/run.ts';
import type { Change } from './world/api-server.ts';
import { shareOf, weightsOf } from './world/mesh.ts';

/** A request of a person and what came of it. */
export interface Asked {
  readonly by: string;
  readonly what: Happening;
  readonly at: number;
  answer?: string | undefined;
  answeredAt?: number;
  /** What was so when the answer was given. */
  told?: { readonly written: number; readonly token: string | null; readonly isOpen: boolean };
}

/** A write of meshops into a route, by the operation whose token it put or took. */
export interface OwnWrite extends Change {
  readonly opId: string | undefined;
  readonly from: number;
  readonly to: number;
  /** For how long a freeze had held (ms). */
  readonly frozenFor: number;
}

/** A watch that runs or ran, as Temporal's server sees it. */
export interface Watched {
  readonly attempt: Attempt;
  readonly input: WatchInput;
  /** When what it watches was written last before it (epoch ms). */
  readonly since: number;
  endedAt?: number;
  result?: WatchResult;
}

/** All that happened to one operation, seen from outside. A run that goes on as a new one is the same operation. */
export class OperationTruth {
  readonly run: WorkflowRun;
  opId: string | undefined;
  /** With the true time at which each was taken. */
  readonly requests: (OperationRequest & { readonly takenAt: number })[] = [];
  readonly decisions: (Decision & { readonly at: number })[] = [];
  /** `phase`: where it was then. */
  readonly aborts: { readonly at: number; readonly by: string; readonly phase: Phase | undefined }[] = [];
  readonly writes: OwnWrite[] = [];
  readonly watches: Watched[] = [];
  /** The route before the operation's first write. */
  before: KubeObject | undefined;
  /** Everything that other hands changed on the route since then. */
  readonly foreign: Change[] = [];
  /** The other systems that were out at some time while it ran, as `system:mode`. */
  readonly outages = new Set<string>();
  /** The outcome that it has begun to record: it is decided, whether or not Slack can be told. */
  recorded: Outcome['kind'] | undefined;
  view: OperationView | undefined;
  /** Where it is, by the step that was tried last. */
  phase: Phase | undefined;
  closedAt: number | undefined;
  /** The largest input of a step so far, and how large its largest plan is, before they are compressed (bytes). */
  largest = { type: '', bytes: 0 };
  planned = 0;
  /** Since when no watch could fire, while its change is in force and could be watched. */
  unwatchedSince: number | undefined;
  /** Since when its canary harms and that could be seen, and how many requests. */
  harmedSince: number | undefined;
  harmed = 0;
  /** Since when they are as many as a fuse must have seen. */
  harmedEnoughSince: number | undefined;
  /** Since when its canary has failed more often than its budget allows. */
  overSince: number | undefined;
  /** Failures and requests of its canary while its change was in force. */
  failures = 0;
  answered = 0;
  /** When each of them was answered. */
  readonly answers: number[] = [];

  constructor(run: WorkflowRun) {
    this.run = run;
  }

  get outcome(): Outcome | undefined {
    return this.run.status === 'COMPLETED' ? (this.run.result as Outcome | undefined) : undefined;
  }

  /** How it ended or is about to: what is left to do is to say so. */
  get ending(): Outcome['kind'] | undefined {
    return this.outcome?.kind ?? this.recorded ?? this.view?.outcome?.kind;
  }

  get wasWritten(): boolean {
    return this.writes.length > 0;
  }

  /** Share of the canary before its first write. */
  get shareBefore(): number {
    return this.before ? shareOf(weightsOf(this.before as Route)) : 0;
  }
}
