import type { OperationView } from './operation.ts';
import type { ObjectRef, Original, Write } from './plan.ts';

/** The part of the contract between workflows and activities that is about putting back what was there before. */
export interface RestoreInput {
  readonly opId: string;
  readonly originals: readonly Original[];
  /** Every value this operation may have written, by stage: anything else is somebody else's. */
  readonly written: readonly { readonly stage: number; readonly writes: readonly Write[] }[];
  /**
   * Which token entitles to write: `{ stage }` for a fuse (exactly `<opId>/<stage>`: a stale attempt ends as superseded),
   * `'operation'` for the undo of the whole operation (any stage of it). `since`: the stage is being written, and objects may still
   * carry the token of the one before it, down to this number.
   */
  readonly holder: { readonly stage: number; readonly since?: number } | 'operation';
  /** What it exposed does harm: where another hand has left everybody else without any weight, theirs goes back as well. */
  readonly harm?: boolean;
  /** Nodes whose traffic was harmed, the most first: their pods are replaced again before those of others. */
  readonly harmed?: readonly string[];
  /** Where people see how far an undo is that takes minutes. */
  readonly view?: OperationView;
}
export type RestoreResult =
  | {
      readonly kind: 'restored';
      readonly objects: readonly RestoredObject[];
      /** All objects read back equal to what they were before the operation. */
      readonly exact: boolean;
      readonly at: number;
    }
  /** Another stage or another operation holds an object now; nothing of it was touched. */
  | { readonly kind: 'superseded'; readonly object: ObjectRef; readonly token: string | null; readonly at: number };
export interface RestoredObject {
  readonly object: ObjectRef;
  /** `drifted`: another hand changed managed fields; only our own values were put back. `gone`: deleted or replaced by others; never recreated. */
  readonly state: 'restored' | 'unchanged' | 'drifted' | 'gone';
  readonly differences?: readonly Difference[];
  /** What the operation exposed has more weight than before it: another hand's, that was left alone. */
  readonly exposes?: true;
}

export interface UnreadyInput {
  readonly originals: readonly Original[];
  /** 0: says how it is now. */
  readonly waitMs: number;
}
/** `words`: who would get traffic and has nobody to answer it; absent: nobody. */
export interface Unready {
  readonly words?: string;
}

export interface Difference {
  readonly object: string;
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  /** metadata.managedFields' manager of the field, when it can be told. */
  readonly manager?: string;
}
