/** Why a call to the Kubernetes API failed, in the API's own words where it has one (metav1.StatusReason). */
export type FailureReason =
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'Conflict'
  | 'AlreadyExists'
  | 'Invalid'
  | 'BadRequest'
  /** The resourceVersion of a watch is too old (410). */
  | 'Expired'
  | 'TooManyRequests'
  /** The server, or our own deadline, gave up. Whether a write was made is not known. */
  | 'Timeout'
  /** No connection, or it broke. Whether a write was made is not known. */
  | 'Unreachable'
  | 'ServerError';

/** A call to the Kubernetes API that did not succeed. An abort by the caller is not one: its own reason is thrown. */
export class ClusterFailure extends Error {
  override readonly name = 'ClusterFailure' as const;
  readonly reason: FailureReason;
  readonly status: number | undefined;
  /** Dotted field paths that the server named (`spec.rules[0].filters`), when it named any. */
  readonly fields: readonly string[];

  constructor(reason: FailureReason, message: string, options: { status?: number; fields?: readonly string[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.status = options.status;
    this.fields = options.fields ?? [];
  }
}

/** Is this the failure named? Narrows what a `catch` holds. */
export function isFailure(error: unknown, ...reasons: readonly FailureReason[]): error is ClusterFailure {
  return error instanceof ClusterFailure && (reasons.length === 0 || reasons.includes(error.reason));
}

const BY_STATUS: Readonly<Record<number, FailureReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  504: 'Timeout',
};

/** Turns an answer that is no success into a failure. `body` is a metav1.Status when the apiserver itself answered. */
export function failureOf(status: number, body: unknown): ClusterFailure {
  const told = isStatus(body) ? body : undefined;
  const reason = told?.reason === 'AlreadyExists' ? 'AlreadyExists' : (BY_STATUS[status] ?? 'ServerError');
  const causes = told?.details?.causes ?? [];
  const fields = causes.flatMap((cause) => (cause.field ? [cause.field] : []));
  return new ClusterFailure(reason, told?.message ?? `the Kubernetes API answered ${status}`, { status, fields });
}

interface Status {
  readonly kind: 'Status';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message?: string }[] };
}

function isStatus(body: unknown): body is Status {
  return typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status';
}
