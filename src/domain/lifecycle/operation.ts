import type { JsonObject } from '../json.ts';
import type { Counts, Doubt, Verdict } from '../judge/verdict.ts';
import type { Target } from '../target.ts';
import type { Actor } from './actor.ts';
import type { Change, VerbName } from './change.ts';
import type { Freeze } from './freeze.ts';
import type { Call, Choice, Gate } from './gate.ts';
import type { Original, Write } from './plan.ts';
import type { OperationSettings } from './settings.ts';

/** The start argument of an operation's workflow and the argument of `begin`: the whole request, parsed and resolved. */
export interface OperationRequest {
  /** Unique for ever; from Slack's trigger_id. Deduplicates the Update and, in the database, later replays. */
  readonly requestId: string;
  readonly verb: VerbName;
  readonly target: Target;
  readonly change: Change;
  /** What the person typed, for the message and the audit. */
  readonly text: string;
  readonly reason?: string;
  readonly requester: Actor;
  readonly channel: { readonly teamId: string; readonly channelId: string };
  readonly requestedAt: number;
  /** A `begin` that arrives later than this is refused: nobody expects the change any more (epoch ms). */
  readonly validUntil: number;
  readonly settings: OperationSettings;
  /** The id of the operation that this begins, unique in the database. Absent (an earlier bot, a database that is away): the run makes one. */
  readonly opId?: string;
  /** It begins without the approvals of its gates: each still needs `quorum` at most. Why, and whether a freeze stops it. */
  readonly emergency?: { readonly reason: string; readonly quorum: number; readonly passesFreezes?: boolean };
  /** The run is to end an operation whose own run was lost, and nothing else. */
  readonly recovery?: Recovery;
}

/** The answer to an accepted `begin`. */
export interface Begun {
  readonly opId: string;
  readonly runId: string;
  /** True when a running operation took the request over as its next step (promote, a higher percent). */
  readonly continued: boolean;
}

export type Phase =
  | 'planning'
  | 'waiting' // for a gate
  | 'applying'
  | 'watching'
  | 'holding'
  | 'afterwatch'
  | 'restoring'
  | 'over';

/** How an operation ended. */
export type OutcomeKind =
  | 'completed' // all stages in force, afterwatch healthy
  | 'rolled-back' // harmful, or a hold that was answered with, or expired into, rollback
  | 'rejected'
  | 'aborted'
  | 'expired' // nobody decided in time
  | 'impossible' // the plan could not be made; nothing was changed
  | 'failed' // something broke; everything was put back
  | 'superseded' // another operation holds the objects now; nothing of theirs was touched
  | 'drifted' // somebody else changed the managed fields; ours were put back where that was possible
  | 'abandoned';

export interface Outcome {
  readonly kind: OutcomeKind;
  /** Stable code of the reason, for tables and tests: `NotReady`, `Harmful`, `Rejected`. */
  readonly code: string;
  /** One sentence for people: what happened, what it means for the mesh now, what to do next. */
  readonly words: string;
  /** What the mesh is now, as it was read back: `backend 90%, backend-canary 10%`. */
  readonly now?: string;
  readonly by?: { readonly id: string; readonly name: string; readonly slackId?: string };
  /** The mesh is exactly as it was before (undefined when nothing had been changed). */
  readonly restoredExactly?: boolean;
  /** Put back, and the service fails all the same. `hasShare`: the canary still has traffic, as it did before the operation or by another hand. */
  readonly stillFailing?: { readonly words: string; readonly hasShare: boolean };
  readonly verdict?: Verdict;
  /** Services of the target's namespace that an impossible plan could have meant: the same command can be planned for each. */
  readonly candidates?: readonly string[];
}

export type StageState = 'pending' | 'applying' | 'watching' | 'passed' | 'harmful' | 'held' | 'undone' | 'skipped';

export interface StageView {
  readonly number: number;
  readonly label: string;
  readonly exposure: number;
  readonly state: StageState;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly counts?: Counts;
}

/** Where one Slack message is. */
export interface MessageRef {
  readonly channelId: string;
  readonly ts: string;
}

/** The newest post in the thread that asks people something. */
export interface QuestionRef {
  readonly gateId: string;
  readonly call: Call;
  readonly ts: string;
  /** Of what it shows. */
  readonly version: string;
}

/** How the last question ended. */
export interface Answered {
  readonly gateId: string;
  readonly kind: Gate['kind'];
  /** `withdrawn`: something else came first, and no answer is needed. */
  readonly choice: Choice | 'expired' | 'withdrawn';
  /** Names. */
  readonly by: readonly string[];
  readonly reason?: string;
  readonly at: number;
}

/** One operation as everybody sees it: the root message, `/mesh status`, the refusal of a second command. Rendered, never stored. */
export interface OperationView {
  readonly opId: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly verb: VerbName;
  readonly target: Target;
  readonly text: string;
  readonly reason?: string;
  readonly requester: Actor;
  /** It has begun without the approvals of its gates, for this reason. */
  readonly emergency?: { readonly reason: string };
  readonly phase: Phase;
  readonly startedAt: number;
  readonly from?: string;
  readonly to?: string;
  readonly explanation: readonly string[];
  readonly watched: readonly string[];
  readonly planHash?: string;
  readonly stages: readonly StageView[];
  readonly gate?: Gate;
  /** End of the present soak or afterwatch (epoch ms). */
  readonly watchUntil?: number;
  /** Live numbers of the present watch; the watching activity fills them in when it edits the message itself. */
  readonly live?: {
    readonly counts: Counts;
    readonly canaryShare: number;
    readonly at: number;
    /** What is not seen and does not count, in words. */
    readonly unseen?: string;
    /** What the watch would say if it ended now. */
    readonly word?: Pick<Verdict, 'kind' | 'words'>;
    /** Everything is seen again since then, after a time in which it was not (epoch ms). */
    readonly seenSince?: number;
    /** What differs now from what was written, while people are asked about a difference. */
    readonly drift?: OperationView['drift'];
    /** The fuse has fired and replaces pods: so many of them are done. */
    readonly undoing?: { readonly done: number; readonly of: number };
  };
  readonly verdict?: Verdict;
  /** Drops that people have accepted in this operation. */
  readonly accepted?: readonly Doubt[];
  /** What another hand has changed, while people are asked about it. */
  readonly drift?: readonly {
    readonly object: string;
    readonly field: string;
    readonly expected: string;
    readonly found: string;
    readonly manager?: string;
  }[];
  /** What does not answer, and keeps the operation waiting (since epoch ms). Nothing is undone for it. */
  readonly awaited?: { readonly what: 'records' | 'approvers' | 'plan'; readonly since: number };
  /** Its run is gone without an outcome: nobody watches what it changed. */
  readonly lost?: { readonly how: HowLost };
  /** The freeze that the next stage waits for. */
  readonly frozen?: Freeze;
  /** It is a way back itself, and raises nobody's exposure: a second one has nothing to do. */
  readonly takesBack?: true;
  /** Everything has been put back, and the traffic is still watched. */
  readonly restored?: boolean;
  /** Who has agreed to give up a failing undo. */
  readonly releases?: Gate['approvals'];
  readonly outcome?: Outcome;
  readonly message?: MessageRef & { readonly question?: QuestionRef };
  readonly answered?: Answered;
  /** The undo has been failing since (epoch ms), with what to type by hand. */
  readonly undoFailing?: { readonly since: number; readonly reason: string; readonly commands: readonly string[] };
}

/** One line of the audit record. `key` makes writing it twice the same as once. */
export interface AuditRecord {
  readonly key: string;
  readonly at: number;
  readonly kind:
    | 'request'
    | 'refusal'
    | 'plan'
    | 'gate'
    | 'decision'
    | 'write'
    | 'verdict'
    | 'restore'
    | 'outcome'
    /** What Git has been told of it, and whether it agrees. */
    | 'handover'
    | 'freeze'
    /** What began without approval, and who has looked at it since. */
    | 'emergency'
    | 'review'
    | 'lost'
    | 'rules';
  readonly opId: string;
  readonly target: Target;
  readonly actor?: string;
  readonly data: JsonObject;
}

/** How the Temporal server closed a run that wrote no outcome. */
export type HowLost = 'terminated' | 'timed out' | 'failed' | 'cancelled' | 'deleted';

/** Every value that an operation may have written, by stage; what a rollback takes for its own. */
export type Written = readonly { readonly stage: number; readonly writes: readonly Write[] }[];

/** What the run that ends a lost operation begins with: it goes on under the same id, so that tokens and message stay its own. */
export interface Recovery {
  readonly opId: string;
  readonly how: HowLost;
  /** Who rolls it back. Absent: nothing of it is in place, and it is only closed. */
  readonly by?: Actor;
  readonly reason?: string;
  readonly originals: readonly Original[];
  readonly written: Written;
  /** Whoever asks wants it to stay as it is, and agrees to that. */
  readonly keep?: true;
  /** What it has written was replaced by this operation, which has completed. */
  readonly replacedBy?: string;
  /** It only took something away: that stays so, since taking it back would put it in force again. */
  readonly keeps?: boolean;
  readonly view: Partial<OperationView>;
}
