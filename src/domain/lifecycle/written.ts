import { type Fields, type ObjectRef, objectKey, type Write } from './plan.ts';

/** Every value that an operation may have written, by stage. */
export type Written = readonly { readonly stage: number; readonly writes: readonly Write[] }[];

/** What an operation has made of one object so far. */
export interface LastWrite {
  readonly object: ObjectRef;
  /** Empty for an object that the operation has made: its token says whose it is. */
  readonly uid: string;
  /** The stage that wrote it last, whose token it carries. */
  readonly stage: number;
  /** Every field that was written, as it was written last. */
  readonly fields: Fields;
  readonly isDeleted: boolean;
}

/** The last word of the stages up to `stage` on each object, by key. A stage writes only what it changes, so earlier ones still count. */
export function lastWrites(written: Written, stage: number): ReadonlyMap<string, LastWrite> {
  const last = new Map<string, LastWrite>();
  for (const entry of written.filter((one) => one.stage <= stage).toSorted((a, b) => a.stage - b.stage)) {
    for (const { object, uid, kind, after } of entry.writes) {
      const key = objectKey(object);
      const fields = { ...last.get(key)?.fields, ...after };
      last.set(key, { object, uid, stage: entry.stage, fields, isDeleted: kind === 'delete' && entry.stage > 0 });
    }
  }
  return last;
}
