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
  /** The same for servers that are programs of their own. */
  readonly agentFiles: HubbleTls['client'];
  readonly relayFiles: HubbleTls['client'];
}

/** Names of Cilium v1.20.2 install/kubernetes/cilium/templates/hubble/tls-*: agents share one certificate with a wildcard. */
export async function issueHubbleTls(folder: string, cluster: string, now: number): Promise<HubbleTls> {
  const authority = await createAuthority(now);
  const serving = ({ cert, key }: Issued): ServerCredentials =>
    ServerCredentials.createSsl(Buffer.from(authority.cert), [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }], true);
  const caFile = join(folder, 'ca.crt');
  await mkdir(folder, { recursive: true });
  await writeFile(caFile, authority.cert);
  const write = async (name: string, { cert, key }: Issued): Promise<HubbleTls['client']> => {
    const files = { caFile, certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
    await writeFile(files.certFile, cert);
    await writeFile(files.keyFile, key, { mode: 0o600 });
    return files;
  };
  const agents = authority.issue([`*.${cluster}.hubble-grpc.cilium.io`]);
  const relay = authority.issue(['*.hubble-relay.cilium.io']);
  return {
    client: await write('tls', authority.issue(['*.hubble-relay.cilium.io'])),
    agents: serving(agents),
    relay: serving(relay),
    agentFiles: await write('agent', agents),
    relayFiles: await write('relay', relay),
  };
}
