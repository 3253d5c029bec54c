/** What `/mesh canary`, `promote` and `rollback` ask for. */
export type CanaryChange =
  | {
      readonly kind: 'shift';
      /** Share for the canary in percent, 0..100, in steps of 0.1. */
      readonly percent: number;
      /** Explicit rungs in percent, from `--steps`. */
      readonly steps?: readonly number[];
    }
  /** Back to what was before the last completed operation on this target. Needs no gate. */
  | { readonly kind: 'back' };
