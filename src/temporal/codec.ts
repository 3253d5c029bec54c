import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

/** A key by name, so that old histories stay readable after a new key came. 32 bytes. */
export interface PayloadKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** Says what is wrong with the key without showing it. */
export class PayloadKeyRefused extends Error {
  override readonly name = 'PayloadKeyRefused' as const;
}

/** Reads `id:base64,id2:base64`: the first key encrypts, all of them decrypt. */
export function parsePayloadKeys(text: string): readonly PayloadKey[] {
  return text.split(',').map((entry, index) => {
    const [id, encoded, ...rest] = entry.trim().split(':');
    const secret = Buffer.from(encoded ?? '', 'base64');
    if (!id || rest.length > 0 || secret.length !== 32) {
      throw new PayloadKeyRefused(`MESHOPS_PAYLOAD_KEY: entry ${index + 1} must be <name>:<32 bytes in base64>. Nothing was started.`);
    }
    return { id, secret };
  });
}

const ENCODING = 'binary/encrypted';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM over whole payloads: Temporal's server sees neither requests nor plans. Layout: nonce, ciphertext, tag. */
export class AesGcmCodec implements PayloadCodec {
  readonly #keys: ReadonlyMap<string, PayloadKey>;
  readonly #current: PayloadKey;
  readonly #allowPlaintext: boolean;

  /** `allowPlaintext`: what is not encrypted passes. Else it is refused: nobody without the key gets a word in. */
  constructor(keys: readonly PayloadKey[], allowPlaintext = false) {
    const [current] = keys;
    if (!current) throw new PayloadKeyRefused('The codec needs at least one key.');
    this.#current = current;
    this.#allowPlaintext = allowPlaintext;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => this.#seal(payload));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      if (metadataOf(payload, 'encoding') === ENCODING) return this.#open(payload);
      if (this.#allowPlaintext) return payload;
      throw new PayloadKeyRefused(
        'A payload is not encrypted although MESHOPS_PAYLOAD_KEY is set, so it was not taken. Set temporal.allowPlaintext while runs from before the key are there.',
      );
    });
  }

  #seal(payload: Payload): Payload {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#current.secret, nonce);
    const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
    const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return { metadata: { encoding: Buffer.from(ENCODING), 'key-id': Buffer.from(this.#current.id) }, data };
  }

  #open(payload: Payload): Payload {
    const id = metadataOf(payload, 'key-id') ?? '';
    const key = this.#keys.get(id);
    if (!key) throw new PayloadKeyRefused(`A payload was encrypted with the key "${id}", which MESHOPS_PAYLOAD_KEY does not hold.`);
    const sealed = Buffer.from(payload.data ?? new Uint8Array());
    const decipher = createDecipheriv('aes-256-gcm', key.secret, sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const plain = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
    return proto.temporal.api.common.v1.Payload.decode(plain);
  }
}

function metadataOf(payload: Payload, name: string): string | undefined {
  const value = payload.metadata?.[name];
  return value ? Buffer.from(value).toString() : undefined;
}
