/** What Temporal's server allows (docs.temporal.io/self-hosted-guide/defaults). */
export interface Limits {
  /** Events of one run's history; at more the server terminates the run. */
  readonly events: number;
  /** Bytes of one run's history. */
  readonly bytes: number;
  /** Bytes of one payload. */
  readonly payload: number;
}

export const TEMPORAL_LIMITS: Limits = { events: 51_200, bytes: 50 * 2 ** 20, payload: 2 * 2 ** 20 };
/** Every event has some bytes beside its payload. */
export const EVENT_BYTES = 120;
