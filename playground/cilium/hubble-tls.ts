/** Hubble's TLS as Cilium's Helm chart sets it up: one authority, agents and Relay by name, and nobody is answered without a certificate. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { createAuthority, type Issued } from './certificates.ts';

export interface HubbleTls {
  /** What a client needs, as files. */
  readonly client: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
  readonly agents: ServerCredentials;
  readonly relay: ServerCredentials;
}

/** Names of Cilium v1.20.2 install/kubernetes/cilium/templates/hubble/tls-*: agents share one certificate with a wildcard. */
export const issueHubbleTls = async (folder: string, cluster: string, now: number): Promise<HubbleTls> => {
  const authority = await createAuthority(now);
  const serving = ({ cert, key }: Issued): ServerCredentials =>
    ServerCredentials.createSsl(Buffer.from(authority.cert), [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }], true);
  const client = authority.issue(['*.hubble-relay.cilium.io']);
  const files = { caFile: join(folder, 'ca.crt'), certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
  await mkdir(folder, { recursive: true });
  await writeFile(files.caFile, authority.cert);
  await writeFile(files.certFile, client.cert);
  await writeFile(files.keyFile, client.key, { mode: 0o600 });
  return {
    client: files,
    agents: serving(authority.issue([`*.${cluster}.hubble-grpc.cilium.io`])),
    relay: serving(authority.issue(['*.hubble-relay.cilium.io'])),
  };
};
