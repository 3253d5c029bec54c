/** What can be wrong with a pod's answers; everything zero is health. */
export interface Fault {
  /** Share of requests answered with `status`, 0..1. */
  readonly errorRate: number;
  readonly status: number;
  /** Share of gRPC calls answered HTTP 200 with `grpcStatus` in the trailers, 0..1; nothing to pods that speak plain HTTP. */
  readonly grpcRate: number;
  /** gRPC's own number: 14 = UNAVAILABLE. */
  readonly grpcStatus: number;
  /** Added to every answer, in milliseconds. */
  readonly latencyMs: number;
  /** Share of requests that never get an answer, 0..1. */
  readonly hangRate: number;
  /** Share of requests whose connection is reset, 0..1. */
  readonly resetRate: number;
  /** The process is gone: connections are refused and the pod is not ready. */
  readonly crashed: boolean;
  /** Connections are refused although the pod stays ready: its readiness probe asks another port. */
  readonly refused: boolean;
}

export const healthy: Fault = {
  errorRate: 0,
  status: 500,
  grpcRate: 0,
  grpcStatus: 14,
  latencyMs: 0,
  hangRate: 0,
  resetRate: 0,
  crashed: false,
  refused: false,
};
