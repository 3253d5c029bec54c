import { ApplicationFailure, defaultFailureConverter, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';

/** What goes over Temporal's wire, and how large it is. */
export type Packed = Payload | undefined;
export type Failure = temporal.api.failure.v1.IFailure;

export function pack(value: unknown): Packed {
  return value === undefined ? undefined : defaultPayloadConverter.toPayload(value);
}

export function unpack(payload: Packed | null): unknown {
  return payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
}

export function sizeOf(payload: Packed | null): number {
  return payload?.data?.length ?? 0;
}

export function packFailure(error: unknown): Failure {
  return defaultFailureConverter.errorToFailure(error, defaultPayloadConverter) as Failure;
}

export function unpackFailure(failure: Failure): Error {
  return defaultFailureConverter.failureToError(failure as never, defaultPayloadConverter);
}

export function failure(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

export const timestamp = (ms: number): ReturnType<typeof msToTs> => msToTs(ms);

/** Milliseconds of a protobuf duration; undefined where it is not set or 0, which means no limit. */
export function msOf(duration: Parameters<typeof tsToMs>[0]): number | undefined {
  if (!duration) return undefined;
  const ms = tsToMs(duration);
  return ms > 0 ? ms : undefined;
}
