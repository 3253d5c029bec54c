import { constants, zstdCompressSync } from 'node:zlib';
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

/** As src/temporal/compression.ts has it, which works in threads of its own: here nothing may take real time. */
const COMPRESSED_FROM = 64 * 1_024;
const PARAMETERS = {
  [constants.ZSTD_c_compressionLevel]: 3,
  [constants.ZSTD_c_enableLongDistanceMatching]: 1,
  [constants.ZSTD_c_windowLog]: 24,
};
const sizes = new WeakMap<object, number>();

/** Bytes on the wire: large payloads are compressed. */
export function sizeOf(payload: Packed | null): number {
  const data = payload?.data;
  if (!data) return 0;
  if (data.length < COMPRESSED_FROM) return data.length;
  const size = sizes.get(data) ?? zstdCompressSync(data, { params: PARAMETERS }).length;
  sizes.set(data, size);
  return size;
}

export function sizeOfText(text: string): number {
  return text.length < COMPRESSED_FROM ? text.length : zstdCompressSync(text, { params: PARAMETERS }).length;
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
