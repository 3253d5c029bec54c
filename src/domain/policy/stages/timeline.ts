import type { JsonObject } from '../../json.ts';
import { type Fields, type ObjectRef, objectKey, type Write } from '../../lifecycle/plan.ts';

/** An object that stages change, as it is before the first of them. */
export interface Subject {
  readonly object: ObjectRef;
  /** Empty for one that the operation makes itself. */
  readonly uid: string;
  readonly generation: number;
  readonly fields: Fields;
  /** What the claim makes; absent for an object that exists. */
  readonly manifest?: JsonObject;
}

/** Writes of consecutive stages: each begins where the one before it on the same object has ended, and holds only what it changes. */
export class Timeline {
  readonly #now = new Map<string, { readonly fields: Fields; readonly isNew: boolean }>();

  /** The write that brings `after` about; without fields it only moves the token on, so that the stage holds the object. */
  write(subject: Subject, after: Fields): Write {
    const key = objectKey(subject.object);
    const { fields, isNew } = this.#now.get(key) ?? { fields: subject.fields, isNew: true };
    this.#now.set(key, { fields: { ...fields, ...after }, isNew: false });
    const before = Object.fromEntries(Object.keys(after).map((field) => [field, fields[field] ?? null]));
    const { object, uid, generation, manifest } = subject;
    return { object, uid, generation, ...(manifest && { kind: 'create' }), ...(manifest && isNew && { manifest }), before, after };
  }

  /** The write that removes the object; nothing where no stage has made it. */
  remove(subject: Subject): readonly Write[] {
    const { object, uid, generation } = subject;
    if (!this.#now.has(objectKey(object))) return [];
    return [{ object, uid, generation, kind: 'delete', before: {}, after: {} }];
  }
}
