/** Why the stack cannot be had or went down: one sentence for a person, and a stable `type` for code. */
export type StackFailureType =
  | 'unsupported-platform'
  | 'missing-tool'
  | 'tool-too-old'
  | 'no-network'
  | 'build-failed'
  | 'not-found'
  | 'port-taken'
  | 'dir-in-use'
  | 'not-ready'
  | 'refused'
  | 'warden-gone';

/**
 * Thrown by everything below `playground/cluster`. The message says what happened and what to do next.
 * Not covered: an aborted signal, which throws the signal's own reason.
 */
export class StackFailure extends Error {
  override readonly name = 'StackFailure' as const;
  readonly type: StackFailureType;

  constructor(type: StackFailureType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

/** The message of whatever was thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of a system error (`ENOENT`, `EEXIST`, …), or undefined for anything else. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
