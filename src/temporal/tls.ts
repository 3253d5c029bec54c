import { readFileSync } from 'node:fs';
import type { TLSConfig } from '@temporalio/client';

/** Files of meshops.yaml, `temporal.tls`. */
interface TemporalTls {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
}

/** A file that is named cannot be read. The sentence is for whoever starts the process. */
class TlsFileRefused extends Error {
  override readonly name = 'TlsFileRefused' as const;
}

/** How the connection is made: undefined is plain text. An API key never travels in plain text. Files are read once: renewed ones need a restart. */
export function temporalTls(tls: TemporalTls | undefined, apiKey: string | undefined): true | TLSConfig | undefined {
  if (!tls) return apiKey === undefined ? undefined : true;
  const [ca, crt, key] = [read('caFile', tls.caFile), read('certFile', tls.certFile), read('keyFile', tls.keyFile)];
  return {
    ...(ca && { serverRootCACertificate: ca }),
    ...(crt && key && { clientCertPair: { crt, key } }),
    ...(tls.serverName !== undefined && { serverNameOverride: tls.serverName }),
  };
}

function read(name: string, file: string | undefined): Buffer | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TlsFileRefused(`temporal.tls.${name} cannot be read: ${reason}. Nothing was started.`, { cause: error });
  }
}
