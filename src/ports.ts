import type { Actor } from './domain/lifecycle/actor.ts';
import type { VerbName } from './domain/lifecycle/change.ts';
import type { Freeze } from './domain/lifecycle/freeze.ts';
import type { Approver, GateRule } from './domain/lifecycle/gate.ts';
import type { AuditRecord, MessageRef } from './domain/lifecycle/operation.ts';
import type { Write } from './domain/lifecycle/plan.ts';
import type { Completed } from './domain/lifecycle/way-back.ts';
import type { Target } from './domain/target.ts';

/** What the activities need from outside and do not own: `src/main.ts` hands the real things in. */

/** The audit record as the activities use it; `src/audit` implements it. */
export interface AuditLog {
  append(records: readonly AuditRecord[]): Promise<void>;
  /** The last operation of this verb on the target that completed and left something changed: what a way back starts from. */
  lastCompleted(target: Target, verb: VerbName): Promise<CompletedOperation | undefined>;
  /** Root messages of the operations of this verb that completed on the target before another one did, newest first. Left out: none. */
  earlierMessages?(target: Target, verb: VerbName, opId: string): Promise<readonly MessageRef[]>;
  /** Is this an operation that is known and not over? A token of any other may be taken over. Throws when nobody can say. */
  holds(opId: string): Promise<boolean>;
  /** Every write of the plans that this operation has on record. Left out: none is known. */
  planned?(opId: string): Promise<readonly Write[]>;
}

/** A completed operation as the record keeps it. */
export type CompletedOperation = Completed;

/** What one attempt of a watch heard. */
export interface WatchRecord {
  readonly opId: string;
  readonly stage: number;
  readonly purpose: string;
  /** When the watch began (epoch ms); together with the attempt it names the record within its operation. */
  readonly startedAt: number;
  readonly attempt: number;
  readonly endedAt: number;
  /** The kind of its verdict; absent where the attempt ended without one. */
  readonly verdict?: string;
  readonly events: number;
  /** JSON lines as src/domain/judge/record.ts has them. */
  readonly text: string;
}

/** Where records of watches are kept; `src/audit` implements it. */
export interface WatchRecords {
  keep(record: WatchRecord): Promise<void>;
}

/** Which operations run; `src/temporal/operations.ts` implements it. Both throw when nobody can say. */
export interface Beside {
  /** The operation that holds exactly this target. */
  running(target: Target): Promise<object | undefined>;
  listRunning(most: number): Promise<readonly { readonly workflowId: string }[]>;
}

/** Freezes as the activities use them; `src/audit` implements it. */
export interface Freezes {
  /** The freeze that covers this target now; the one that lasts longest where several do. */
  active(target: Target): Promise<Freeze | undefined>;
}

/** Who people are and which groups they are in, from Slack and the configured identities; `src/slack/people.ts` implements it. */
export interface People {
  /**
   * Everybody who satisfies the rule now. Throws when a group cannot be read: no answer is not an empty answer. Groups may be a minute old; where
   * somebody decides (`deciding`) they are asked for again, unless Slack does not answer now.
   */
  approvers(
    rule: Pick<GateRule, 'approvers'>,
    signal: AbortSignal,
    options?: { readonly deciding?: boolean },
  ): Promise<readonly Approver[]>;
}

/** A change that goes forward, as far as it matters who has asked for it and where. */
export interface AskedFor {
  readonly target: Target;
  readonly requester: Actor;
  readonly channelId: string;
}

/** May they still? `refused`: why not; `silent`: Slack does not say who they are now. */
export type MayStill = (asked: AskedFor) => Promise<{ readonly refused?: string; readonly silent?: true }>;
