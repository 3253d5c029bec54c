import { join } from 'node:path';
import type { HubbleTls } from '../cilium/hubble-tls.ts';
import { type Component, startComponent } from '../cluster/component.ts';
import { flags } from '../cluster/flags.ts';
import type { Stack } from '../cluster/stack.ts';
import { STATE } from './config.ts';
import { answers, type RealNode } from './node.ts';

const WITHIN_MS = 30_000;

/** Starts the real Hubble Relay; it learns of the nodes from the first one's agent. */
export async function startRelay(
  stack: Pick<Stack, 'dir' | 'warden' | 'ports'>,
  program: string,
  { node, tls, cluster }: { readonly node: RealNode; readonly tls: HubbleTls; readonly cluster: string },
  signal: AbortSignal,
): Promise<{ readonly address: string; readonly component: Component }> {
  const port = await stack.ports.take('Hubble Relay');
  const healthPort = await stack.ports.take("Hubble Relay's health");
  const component = await startComponent(
    stack.warden,
    {
      name: 'hubble-relay',
      command: program,
      args: [
        'serve',
        ...flags({
          'cluster-name': cluster,
          'listen-address': `127.0.0.1:${port}`,
          'health-listen-address': `127.0.0.1:${healthPort}`,
          'peer-service': `unix://${node.path(`${STATE}/hubble.sock`)}`,
          'retry-timeout': '2s',
          'tls-hubble-client-cert-file': tls.client.certFile,
          'tls-hubble-client-key-file': tls.client.keyFile,
          'tls-hubble-server-ca-files': tls.client.caFile,
          'tls-relay-server-cert-file': tls.relayFiles.certFile,
          'tls-relay-server-key-file': tls.relayFiles.keyFile,
          'tls-relay-client-ca-files': tls.client.caFile,
        }),
        '--gops=false',
      ],
      logFile: join(stack.dir, 'hubble-relay.log'),
      readyWithinMs: WITHIN_MS,
      ready: () => answers('127.0.0.1', port),
    },
    signal,
  );
  return { address: `127.0.0.1:${port}`, component };
}
