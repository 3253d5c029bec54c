import type { Command } from '../command.ts';

/** What `/mesh canary`, `promote` and `rollback` ask for. */
export type CanaryChange =
  | {
      readonly kind: 'shift';
      /** Share for the canary in percent, 0..100, in steps of 0.1. */
      readonly percent: number;
      /** Explicit rungs in percent, from `--steps`. */
      readonly steps?: readonly number[];
      /** The name was written with its namespace, so it may name the receiver itself. */
      readonly explicit?: true;
    }
  /** Back to what was before the last completed operation on this target. Needs no gate. */
  | { readonly kind: 'back' };

/** The change that a command asks for. Promotion is a shift to 100%. */
export function changeOf(command: Extract<Command, { kind: 'canary' | 'promote' | 'rollback' }>): CanaryChange {
  if (command.kind === 'rollback') return { kind: 'back' };
  const { steps } = command.options;
  return {
    kind: 'shift',
    percent: command.kind === 'promote' ? 100 : command.percent,
    ...(steps === undefined ? {} : { steps }),
    ...(command.service.namespace === undefined ? {} : { explicit: true }),
  };
}
