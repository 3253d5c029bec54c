import { readFileSync } from 'node:fs';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/** Files of the client's certificate and of the authority that signed the agents'. Left out: plain text. */
export interface HubbleTls {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Name in the server's certificate, where it is not the one that Cilium gives. */
  readonly serverName?: string | undefined;
}

/** A name that Relay's certificate has (`*.hubble-relay.cilium.io`, Cilium v1.20.2 install/kubernetes/cilium/templates/hubble). */
export const RELAY_SERVER_NAME = 'ui.hubble-relay.cilium.io';

/** The name of a node's agent in its certificate (Cilium v1.20.2 pkg/hubble/peer/handler.go TLSServerName). Addresses are not in it. */
export function agentServerName(node: string, cluster: string): string {
  return `${node.replaceAll('.', '-')}.${cluster.replaceAll('.', '-')}.hubble-grpc.cilium.io`;
}

/** What the files hold now. Certificates are renewed while we run, so `version` tells whether a connection was made with older ones. */
export interface Files {
  readonly version: string;
  readonly credentials: ChannelCredentials;
}

/** Reads the files; throws with a sentence that names the one that cannot be read or used. */
export function readFiles(tls: HubbleTls | undefined): Files {
  if (!tls) return { version: '', credentials: credentials.createInsecure() };
  const [ca, key, cert] = [tls.caFile, tls.keyFile, tls.certFile].map(read);
  const version = [ca, key, cert].map((file) => file?.toString('base64') ?? '').join();
  try {
    return { version, credentials: credentials.createSsl(ca, key, cert) };
  } catch (error) {
    const files = [tls.caFile, tls.certFile, tls.keyFile].filter((file) => file !== undefined).join(', ');
    throw new Error(`the certificates for Hubble cannot be used (${files}): ${messageOf(error)}`, { cause: error });
  }
}

function read(file: string | undefined): Buffer | null {
  try {
    return file === undefined ? null : readFileSync(file);
  } catch (error) {
    throw new Error(`the certificate file for Hubble cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
