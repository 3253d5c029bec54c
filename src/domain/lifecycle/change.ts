/** Name of a verb that changes the mesh: a key of `VERB_RECORDS` (src/domain/verb.ts), the first part of its operations' ids. */
export type VerbName = string;

/** What a verb was asked to do. What else it holds is the verb's own: its folder reads it, nobody else does. */
export type Change = { readonly kind: string; readonly [own: string]: unknown };

/** Back to what was before the last completed operation of the verb on this target. `of`: the operation that a button named. */
export type WayBack = { readonly kind: 'back'; readonly of?: string };
