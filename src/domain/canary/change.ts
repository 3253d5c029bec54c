import type { Command } from '../commands/command.ts';
import type { WayBack } from '../lifecycle/change.ts';

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
      /** Routes of other namespaces that name the Service move too. */
      readonly includeOthers?: true;
      /** The operation whose button asked for it: refused once another one has completed. */
      readonly of?: string;
    }
  /** Requests with this header go to the canary, beside the weights; without a header that rule is taken away again. */
  | { readonly kind: 'ab'; readonly header?: Header; readonly explicit?: true }
  | WayBack;

export interface Header {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
}

/** The change that a command asks for. Promotion is a shift to 100%. */
export function changeOf(command: Extract<Command, { kind: 'canary' | 'promote' | 'rollback' | 'ab' }>): CanaryChange {
  if (command.kind === 'rollback') return { kind: 'back' };
  const explicit = command.service.namespace === undefined ? {} : ({ explicit: true } as const);
  if (command.kind === 'ab') return { kind: 'ab', ...(command.header && { header: command.header }), ...explicit };
  const { steps, includeOthers } = command.options;
  return {
    kind: 'shift',
    percent: command.kind === 'promote' ? 100 : command.percent,
    ...(steps === undefined ? {} : { steps }),
    ...(includeOthers && { includeOthers }),
    ...explicit,
  };
}
