import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** What files begin with: gzip (RFC 1952), zstd (RFC 8878). */
const PACKED = [
  { magic: [0x1f, 0x8b], unpack: createGunzip },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: createZstdDecompress },
] as const;
const HEAD = 4;

/** The text of a file or stream, piece by piece: unpacked, and out of UTF-8 or UTF-16 by its mark. */
export async function* textOf(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const chunks = input[Symbol.asyncIterator]();
  const head = await headOf(chunks);
  const rest = joined(head, chunks);
  const packed = PACKED.find(({ magic }) => magic.every((byte, at) => head[at] === byte));
  const bytes = packed ? unpacked(rest, packed.unpack()) : rest;
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const chunk of bytes) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    yield decoder.decode(chunk, { stream: true });
  }
  const last = decoder?.decode() ?? '';
  if (last !== '') yield last;
}

/** What could be unpacked comes first; where it breaks off, the last step rejects. */
function unpacked(input: AsyncIterable<Uint8Array>, unpack: Transform): AsyncIterable<Uint8Array> {
  pipeline(Readable.from(input), unpack, () => {
    // The reader of `unpack` hears of it.
  });
  return unpack;
}

/** By the byte order mark, else UTF-8. */
export function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
}

async function headOf(chunks: AsyncIterator<Uint8Array | string>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < HEAD) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, Buffer.from(next.value)]);
  }
  return head;
}

async function* joined(head: Buffer, chunks: AsyncIterator<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    yield typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
  }
}
