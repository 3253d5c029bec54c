/** The innermost reason of a failure, without its full stop. */
export function rootMessage(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
}
