import type { JsonObject } from '../json.ts';
import type { Harmful, Verdict } from '../judge/verdict.ts';
import type { Target } from '../target.ts';
import type { Actor, KubernetesIdentity } from './actor.ts';
import type { VerbName } from './change.ts';
import type { Difference, RestoreInput, RestoreResult, Unready, UnreadyInput } from './contract-undo.ts';
import type { SeriesPoint, WatchInput, WatchResult } from './contract-watch.ts';
import type { Freeze } from './freeze.ts';
import type { Approver, GateRule } from './gate.ts';
import type { AuditRecord, HowLost, MessageRef, OperationRequest, OperationView } from './operation.ts';
import type { Ending } from './outcome.ts';
import type { Attachment, Fields, ObjectRef, Original, Plan, PlannedStage } from './plan.ts';

export type * from './contract-undo.ts';
export type * from './contract-watch.ts';

/**
 * The contract between workflows and activities: types only. What differs between the verbs are the steps;
 * they are registered as `<verb>.<step>`, e.g. `canary.plan`. What all share is registered under its own name.
 */
export interface Steps {
  /** Reads the live objects, checks preconditions and rights, dry-runs every write, computes stages and hash. */
  plan(input: PlanInput): Promise<PlanResult>;
  /** Writes one stage under the requester's identity, guarded by the values and the token that must be there. Idempotent. */
  apply(input: ApplyInput): Promise<ApplyResult>;
  /** Waits for the controller's own word that the written generation is in force. */
  realised(input: RealisedInput): Promise<RealisedResult>;
  /** Streams evidence into the judge until the soak is over or a verdict is reached; fires the fuse itself on harm. Heartbeats. */
  watch(input: WatchInput): Promise<WatchResult>;
  /** Puts the managed fields back as the bot itself. Idempotent, fenced by the token, verified by reading back. Throws only when it must be retried. */
  restore(input: RestoreInput): Promise<RestoreResult>;
  /** Would the restore give traffic to somebody who cannot answer it? Waits so long (ms) until they can. Heartbeats. */
  unready(input: UnreadyInput): Promise<Unready>;
}

/** What every verb shares. */
export interface Shared {
  /** Who may decide at a gate now: usergroups and e-mails of the rule, resolved; fails closed. */
  resolveApprovers(input: {
    readonly rule: GateRule;
    readonly request: OperationRequest;
    /** Something is decided by it. */
    readonly deciding?: boolean;
  }): Promise<readonly Approver[]>;
  /** What is live where a stage should stand, and who wrote it: what people need to decide about drift. */
  inspect(input: {
    readonly opId: string;
    readonly stage: PlannedStage;
    readonly written: RestoreInput['written'];
    readonly made?: Readonly<Record<ObjectKey, string>>;
  }): Promise<Inspection>;
  /** A stage that labels pods, with the pods that are there now: pods are chosen when they are written, not when the plan is made. */
  fill(input: {
    readonly opId: string;
    readonly plan: Plan;
    readonly stage: PlannedStage;
    /** Number of the plan's stage that it was made from. */
    readonly planned: number;
    readonly written: RestoreInput['written'];
  }): Promise<{ readonly stage: PlannedStage; readonly originals: readonly Original[] }>;
  /** The freeze that stops a change of this target now, if there is one. */
  frozen(input: { readonly target: Target }): Promise<Freeze | null>;
  /** Ends when what an open question shows of freezes and approvers is not so any more. Heartbeats. */
  attend(input: AttendInput): Promise<Attended>;
  /**
   * Posts the one root message of an operation, or edits it in place; what it asks people is a post of its own in the thread, which calls them. Returns
   * where they are.
   */
  announce(input: { readonly view: OperationView; readonly channelId: string }): Promise<NonNullable<OperationView['message']>>;
  /** Says something in the operation's thread. `key` makes a retry harmless. */
  say(input: { readonly view: OperationView; readonly thread: MessageRef; readonly note: Note; readonly key: string }): Promise<void>;
  /** Uploads the chart of an operation's watches to its thread. */
  chart(input: { readonly view: OperationView; readonly thread: MessageRef; readonly series: readonly SeriesPoint[] }): Promise<void>;
  /** Takes the buttons that hold no more off the messages of earlier operations of this verb on the target. */
  retire(input: { readonly target: Target; readonly verb: VerbName; readonly opId: string }): Promise<void>;
  /** Appends to the audit record. Idempotent by `key`. */
  record(input: { readonly records: readonly AuditRecord[] }): Promise<void>;
}

/** What an open question shows of the world around it. */
export interface Attended {
  readonly freeze: Freeze | null;
  readonly approvers: readonly Approver[];
  /** It is time for the next call. */
  readonly isDue?: true;
}
export interface AttendInput extends Omit<Attended, 'isDue'> {
  readonly target: Target;
  readonly request: OperationRequest;
  /** Left out: whoever may give commands decides. */
  readonly rule?: GateRule;
  /** False: no freeze stops what is asked about. */
  readonly heeds: boolean;
  /** How often a freeze is looked at, and how long in all. Milliseconds. */
  readonly everyMs: number;
  readonly forMs: number;
  /** Ends at this instant too (epoch ms): people are called again. */
  readonly callAt?: number;
}

/** An object of a stage as it is now. */
export interface FoundObject {
  readonly object: ObjectRef;
  /** Empty for an object of our own making whose uid was never told. */
  readonly uid: string;
  /** What the operation has written there last. */
  readonly expected: Fields;
  readonly fields: Fields;
  readonly token: string | null;
  readonly generation: number;
}
export interface Inspection {
  readonly differences: readonly Difference[];
  readonly found: Readonly<Record<ObjectKey, FoundObject>>;
  /** Why the stage's values cannot be written over what was found. */
  readonly stuck?: string;
}

/** What is said in a thread; the words stand in `activities/announce/`. */
export type Note =
  /** The plan, where nobody is asked about it. */
  | { readonly kind: 'plan' }
  | { readonly kind: 'plan-changed'; readonly differences: readonly string[] }
  | { readonly kind: 'approved'; readonly by: Approver; readonly remaining: number }
  | { readonly kind: 'verdict'; readonly verdict: Verdict; readonly stage: string }
  | { readonly kind: 'drift'; readonly stage: string; readonly inspection: Inspection }
  | { readonly kind: 'frozen'; readonly freeze: Freeze; readonly stage: string }
  | { readonly kind: 'still-failing'; readonly verdict: Harmful; readonly hasShare: boolean }
  | { readonly kind: 'fuse'; readonly verdict: Harmful; readonly restore: RestoreResult }
  | { readonly kind: 'undo-failing'; readonly reason: string; readonly commands: readonly string[] }
  /** A further step of a running operation (promote, a higher percent) was not agreed to; what is in force stays. */
  | { readonly kind: 'declined'; readonly ending: Ending }
  /** Its run is gone without an outcome, and what it wrote is in place. `label`: of the stage whose token stands; `before`: in words. */
  | { readonly kind: 'lost'; readonly how: HowLost; readonly wroteAt: number; readonly label?: string; readonly before?: string }
  /** These people decided and may not decide any more: what they said does not count. */
  | { readonly kind: 'no-longer'; readonly people: readonly string[] }
  /** Before an undo: who would get traffic back and cannot answer it. */
  | { readonly kind: 'unready'; readonly words: string }
  /** It begins without the approvals of its gates. */
  | { readonly kind: 'emergency'; readonly reason: string }
  /** A file that people read with the plan. */
  | { readonly kind: 'attachment'; readonly attachment: Attachment }
  | { readonly kind: 'outcome' };

export interface PlanInput {
  readonly opId: string;
  readonly request: OperationRequest;
  /** Number of the first stage to plan (stage numbers rise over the life of the operation). */
  readonly firstStage: number;
  /** "Before" of a running operation that takes another step: it stays what it was before the operation. */
  readonly originals?: readonly Original[];
}
export type PlanResult =
  | { readonly kind: 'plan'; readonly plan: Plan }
  /** The reason as a code and a sentence that says what was looked for and what to do. Nothing was changed. */
  | {
      readonly kind: 'impossible';
      readonly code: string;
      readonly words: string;
      /** Services of the target's namespace, for each of which the same command can be planned: offered as buttons. */
      readonly candidates?: readonly string[];
    };

export interface ApplyInput {
  readonly opId: string;
  readonly target: Target;
  readonly stage: PlannedStage;
  /** The token each object must carry now, by `kind/namespace/name`; null = none, or that of an operation that is over. */
  readonly tokenBefore: Readonly<Record<string, string | null>>;
  readonly as: KubernetesIdentity | undefined;
  /** Of the plan, with the claim of what goes forward: is anybody else under way on what it is about? */
  readonly details?: JsonObject;
  /** Of what goes forward: who has asked for it, and where. Absent (an earlier workflow, or what only takes something back): nobody looks again. */
  readonly asked?: { readonly requester: Actor; readonly channelId: string };
}
export type ApplyResult =
  | {
      readonly kind: 'applied';
      readonly generations: Readonly<Record<string, number>>;
      /** uid of each object that the stage has made, since no plan could name it. */
      readonly made?: Readonly<Record<ObjectKey, string>>;
      readonly mixedMs: number;
      readonly at: number;
    }
  /** The live values are not what the stage expects. */
  | { readonly kind: 'drift'; readonly differences: readonly Difference[] }
  | { readonly kind: 'held'; readonly object: ObjectRef; readonly token: string }
  /** `by`: who says so; absent: Kubernetes. */
  | { readonly kind: 'forbidden'; readonly words: string; readonly by?: 'meshops' };

export interface RealisedInput {
  readonly stage: PlannedStage;
  /** Generation that the apply produced, by `kind/namespace/name`. */
  readonly generations: Readonly<Record<string, number>>;
  readonly timeoutMs: number;
}
export type RealisedResult =
  | { readonly kind: 'realised'; readonly afterMs: number }
  | { readonly kind: 'not-realised'; readonly words: string };

/** `kind/namespace/name`: the key of an object in the records above. */
type ObjectKey = string;
