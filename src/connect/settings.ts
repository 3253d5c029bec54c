// Where this process finds what it needs: the environment goes before the configuration.
import type { Environment } from '../config/environment.ts';
import type { Config } from '../domain/config/schema.ts';
import { parsePayloadKeys } from '../temporal/codec.ts';
import type { PayloadSecrets, TemporalAddress } from '../temporal/connection.ts';
import { temporalTls } from '../temporal/tls.ts';

/** Said at the start, and by `meshops doctor`. */
export const PLAINTEXT =
  'MESHOPS_PAYLOAD_KEY is not set: requests, plans and names are readable for whoever reads Temporal, and whoever writes there can command. ' +
  'Set it, or set temporal.allowPlaintext: true if that is meant.';

export function secretsOf({ payloadKey }: Environment, { temporal: { allowPlaintext } }: Config): PayloadSecrets | undefined {
  return payloadKey ? { keys: parsePayloadKeys(payloadKey), allowPlaintext } : undefined;
}

export function databaseUrlOf(environment: Environment, config: Config): string {
  return environment.databaseUrl ?? `sqlite:${config.audit.database}`;
}

export function temporalAddressOf(environment: Environment, config: Config): TemporalAddress {
  const { temporalApiKey } = environment;
  const { address, namespace, tls: files } = config.temporal;
  const tls = temporalTls(files, temporalApiKey);
  return { address, namespace, ...(tls !== undefined && { tls }), ...(temporalApiKey && { apiKey: temporalApiKey }) };
}
