import { fileURLToPath } from 'node:url';
import { Client, Connection, type TLSConfig } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { AesGcmCodec, type PayloadKey } from './codec.ts';

/** Where Temporal is. `address` is `host:port`. */
export interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
  /** `true`: TLS with the system's roots. */
  readonly tls?: boolean | TLSConfig;
  readonly apiKey?: string;
}

/** How requests and plans are written into Temporal: plain JSON, or encrypted when keys are given. The same for client and worker. */
export function dataConverterOf(keys: readonly PayloadKey[] | undefined): DataConverter {
  if (!keys || keys.length === 0) return {};
  return {
    payloadCodecs: [new AesGcmCodec(keys)],
    failureConverterPath: fileURLToPath(new URL('./failure-converter.ts', import.meta.url)),
  };
}

/** A client for the bot. Rejects when the server cannot be reached within `timeoutMs`. */
export async function connectClient(
  where: TemporalAddress,
  keys: readonly PayloadKey[] | undefined,
  timeoutMs = 10_000,
): Promise<{ readonly client: Client; readonly close: () => Promise<void> }> {
  const connection = await Connection.connect({ ...connectionOptions(where), connectTimeout: timeoutMs });
  const client = new Client({ connection, namespace: where.namespace, dataConverter: dataConverterOf(keys) });
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
