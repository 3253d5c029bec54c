import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

const ENCODING = 'binary/zstd';
/** Smaller payloads stay as they are, readable in Temporal's own tools. */
const LEAST_BYTES = 64 * 1_024;
/** What a payload may become again: nobody fills a worker's memory through Temporal. */
const MOST_BYTES = 64 * 2 ** 20;
/** A plan repeats its objects stage by stage, megabytes apart: the window must reach that far back. */
const PARAMETERS = {
  [constants.ZSTD_c_compressionLevel]: 3,
  [constants.ZSTD_c_enableLongDistanceMatching]: 1,
  [constants.ZSTD_c_windowLog]: 24,
};

const pack = promisify(zstdCompress);
const unpack = promisify(zstdDecompress);

/** Bytes that a value takes as one payload. Temporal refuses 2 MiB (`limit.blobSize.error`), and ends the run of a workflow that sends it. */
export async function payloadSize(value: unknown): Promise<number> {
  const plain = Buffer.from(JSON.stringify(value));
  if (plain.length > MOST_BYTES) return Number.POSITIVE_INFINITY;
  return plain.length < LEAST_BYTES ? plain.length : (await pack(plain, { params: PARAMETERS })).length;
}

/** Large payloads are compressed: a plan of hundreds of routes fits, and nothing that an undo needs has to be fetched from elsewhere. */
export class ZstdCodec implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map(shrink));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map(grow));
  }
}

async function shrink(payload: Payload): Promise<Payload> {
  if ((payload.data?.length ?? 0) < LEAST_BYTES) return payload;
  const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
  return { metadata: { encoding: Buffer.from(ENCODING) }, data: await pack(plain, { params: PARAMETERS }) };
}

async function grow(payload: Payload): Promise<Payload> {
  const encoding = payload.metadata?.['encoding'];
  if (!encoding || Buffer.from(encoding).toString() !== ENCODING) return payload;
  const params = { [constants.ZSTD_d_windowLogMax]: 24 };
  return proto.temporal.api.common.v1.Payload.decode(
    await unpack(payload.data ?? new Uint8Array(), { params, maxOutputLength: MOST_BYTES }),
  );
}
