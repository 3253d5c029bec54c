import type { Json, JsonObject } from '../json.ts';
import type { Target } from '../target.ts';
import type { VerbName } from './change.ts';

/** Names one Kubernetes object. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** `kind/namespace/name`: the key of an object in records. */
export function objectKey({ kind, namespace, name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

/** The managed fields of one object: JSON pointer (RFC 6901) to value; `null` = the field is absent. */
export type Fields = Readonly<Record<string, Json>>;

/** One write of one stage. `before` is what must be there when the stage is applied, so for stage n it is the `after` of stage n-1. */
export interface Write {
  readonly object: ObjectRef;
  /**
   * Absent: fields of an object that exists are changed. `create`: stage 0, the claim, makes the object from `manifest`, which must be
   * inert (select nobody), since no test can fence a late creation; stages then change its fields like any other's.
   * `delete`: the stage removes the object. `replace`: the stage deletes a pod and waits until `successor` is ready in its place; undone by
   * doing it once more, when everything else is as it was.
   */
  readonly kind?: 'create' | 'delete' | 'replace';
  /**
   * Who brings up the pod in the place of the one that is replaced, and where. Those of one `batch` may be away together; `withinMs`: how long
   * it may take to be ready.
   */
  readonly successor?: { readonly ownerUid: string; readonly nodeName: string; readonly batch?: number; readonly withinMs?: number };
  readonly manifest?: JsonObject;
  /** Empty for an object that does not exist yet: its token says whose it is. */
  readonly uid: string;
  /** metadata.generation that the plan saw; the first stage tests it, so that a stale attempt cannot write after an undo (the token tests do it for later stages). */
  readonly generation: number;
  readonly before: Fields;
  readonly after: Fields;
}

/** One step of exposure. */
export interface PlannedStage {
  /** From 1, rising over the whole life of the operation: a number is never used twice. */
  readonly number: number;
  /** What people read: `10%`, `1 pod`. */
  readonly label: string;
  /** Share exposed once the stage is in force, 0..1. Gate rules look at it. */
  readonly exposure: number;
  /**
   * Share that this stage's own change reaches, before it and with it, where that is another one than `exposure`: a second phase begins with few
   * pods again, while all of them are exposed to the first. Gate rules above 0 look at it.
   */
  readonly reach?: { readonly before: number; readonly after: number };
  /** How long the stage is watched, in milliseconds. Absent: the configured soak; 0: not at all, since it exposes nobody. */
  readonly soakMs?: number;
  readonly writes: readonly Write[];
}

/** An object of the write set as it was before the operation. */
export interface Original {
  readonly object: ObjectRef;
  readonly uid: string;
  readonly fields: Fields;
  /**
   * The fields that are this operation's own affair (the weight of the Service that receives): where another hand has changed managed
   * fields of the object, the undo puts back these alone. Absent: every value that is still ours.
   */
  readonly own?: readonly string[];
  /** `null`: there was no such object, and the undo deletes what this operation made. Given: what an object was that a stage deletes. */
  readonly manifest?: JsonObject | null;
  /** The operation token that was on the object (of an operation that is over), or null. */
  readonly token: string | null;
  /** Canonical JSON of spec, labels and annotations (server-set ones left out), as sha256 hex: what "exactly as it was" is compared with. */
  readonly digest: string;
}

/** A text file for an operation's thread. */
export interface Attachment {
  readonly name: string;
  readonly title: string;
  /** Stands with the file in the thread. */
  readonly comment: string;
  readonly text: string;
}

/** What will be changed, computed from live objects. */
export interface Plan {
  readonly verb: VerbName;
  readonly target: Target;
  /** Words for people: `backend 100%, backend-canary 0%`. */
  readonly from: string;
  readonly to: string;
  /** Sentences: who gains, who loses, which traffic is meant, what is watched, warnings. */
  readonly explanation: readonly string[];
  readonly watched: readonly string[];
  readonly stages: readonly PlannedStage[];
  readonly originals: readonly Original[];
  /** A file that people read with the plan; posted in the thread. */
  readonly attachment?: Attachment;
  /** How a GitOps tool that applies these objects leaves the change alone; posted in the thread. */
  readonly gitOps?: Attachment;
  /** How long what is written may take to come into force (ms), where the cluster needs longer than is configured. */
  readonly realiseMs?: number;
  /** What only the verb itself reads (parsed there with zod). */
  readonly details: JsonObject;
  /** Back to what was before this completed operation. */
  readonly back?: { readonly of: string; readonly completedAt?: number };
  /** No stage raises anybody's exposure: nothing of it is ever undone, since that would put in force again what it takes away. */
  readonly lowers?: boolean;
  /** Why people must say yes before the first write, whatever the rules leave free: whoever gains could not serve now. */
  readonly ask?: string;
  /** sha256 hex over the canonical JSON of every write's object, uid, generation, before and after. */
  readonly planHash: string;
}

/** Annotation on every object that an operation has changed: lock and fence in one. */
export const TOKEN_ANNOTATION = 'meshops.dev/operation';

/** `<opId>/<stage>`. */
export function tokenOf(opId: string, stage: number): string {
  return `${opId}/${stage}`;
}

/** Splits a token; undefined when the text is none. */
export function parseToken(token: string): { opId: string; stage: number } | undefined {
  const match = /^([a-z0-9-]+)\/(\d+)$/.exec(token);
  return match?.[1] && match[2] ? { opId: match[1], stage: Number(match[2]) } : undefined;
}
