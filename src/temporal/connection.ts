import { fileURLToPath } from 'node:url';
import { Client, Connection, type TLSConfig } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { AesGcmCodec, type PayloadKey } from './codec.ts';
import { ZstdCodec } from './compression.ts';

/** Where Temporal is. `address` is `host:port`. */
export interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
  /** `true`: TLS with the system's roots. */
  readonly tls?: boolean | TLSConfig;
  readonly apiKey?: string;
}

/** The keys of payloads. `allowPlaintext`: what is not encrypted is read all the same, as long as runs from before the key are there. */
export interface PayloadSecrets {
  readonly keys: readonly PayloadKey[];
  readonly allowPlaintext?: boolean;
}

/** How requests and plans are written into Temporal: large ones compressed, and encrypted when keys are given. The same for client and worker. */
export function dataConverterOf(secrets: PayloadSecrets | undefined): DataConverter {
  if (!secrets || secrets.keys.length === 0) return { payloadCodecs: [new ZstdCodec()] };
  return {
    // Encoded in this order, decoded in the other: what is encrypted cannot be compressed any more.
    payloadCodecs: [new ZstdCodec(), new AesGcmCodec(secrets.keys, secrets.allowPlaintext ?? false)],
    failureConverterPath: fileURLToPath(new URL('./failure-converter.ts', import.meta.url)),
  };
}

/** A client for the bot. Rejects when the server cannot be reached within `timeoutMs`. */
export async function connectClient(
  where: TemporalAddress,
  secrets: PayloadSecrets | undefined,
  timeoutMs = 10_000,
): Promise<{ readonly client: Client; readonly close: () => Promise<void> }> {
  // The worker's native core knows no proxy of the environment; the client goes the same way.
  const channelArgs = { 'grpc.enable_http_proxy': 0 };
  const connection = await Connection.connect({ ...connectionOptions(where), channelArgs, connectTimeout: timeoutMs });
  const client = new Client({ connection, namespace: where.namespace, dataConverter: dataConverterOf(secrets) });
  return { client, close: () => connection.close() };
}

/** The worker's own connection, in the SDK's native core. */
export function connectWorker(where: TemporalAddress): Promise<NativeConnection> {
  return NativeConnection.connect(connectionOptions(where));
}

function connectionOptions(where: TemporalAddress): { address: string; tls?: boolean | TLSConfig; apiKey?: string } {
  return {
    address: where.address,
    ...(where.tls === undefined ? {} : { tls: where.tls }),
    ...(where.apiKey === undefined ? {} : { apiKey: where.apiKey }),
  };
}
