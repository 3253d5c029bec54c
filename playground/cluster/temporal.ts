import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { type Component, startComponent } from './component.ts';
import { flags } from './flags.ts';
import type { Ground } from './kube.ts';

/** A Temporal dev server whose database is a file, so that it can be stopped and started with what it knew. */
export type Temporal = Component & {
  /** `127.0.0.1:<port>`, plain gRPC. */
  readonly address: string;
  readonly namespace: string;
  /** Temporal's own web page. */
  readonly uiUrl: string;
};

export type TemporalOptions = {
  readonly port?: number;
  readonly uiPort?: number;
  /** Name to type (`Keyword`, `Int`, …), registered at start. */
  readonly searchAttributes?: Readonly<Record<string, string>>;
};

const NAMESPACE = 'default';
const READY_WITHIN_MS = 60_000;
const ASK_MS = 1000;
const SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';

// grpc.health.v1: request { string service = 1 }, response { ServingStatus status = 1 } with SERVING = 1. Two fields need no schema.
const HEALTH_REQUEST = Buffer.concat([Buffer.from([0x0a, SERVICE.length]), Buffer.from(SERVICE)]);
const SERVING = Buffer.from([0x08, 0x01]);
const asIs = (bytes: Buffer): Buffer => bytes;

function isServing(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = new Client(address, credentials.createInsecure());
    const deadline = Date.now() + ASK_MS;
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, HEALTH_REQUEST, { deadline }, (error, answer) => {
      client.close();
      resolve(error === null && answer !== undefined && answer.equals(SERVING));
    });
  });
}

/** Starts Temporal's dev server and waits until its frontend serves. */
export async function startTemporal(ground: Ground, options: TemporalOptions = {}): Promise<Temporal> {
  const port = await ground.ports.take('Temporal', options.port);
  const uiPort = await ground.ports.take("Temporal's page", options.uiPort);
  const address = `127.0.0.1:${port}`;
  const attributes = Object.entries(options.searchAttributes ?? {}).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]);
  const component = await startComponent(
    ground.warden,
    {
      name: 'temporal',
      command: ground.binaries.temporal,
      args: [
        'server',
        'start-dev',
        ...flags({
          ip: '127.0.0.1',
          port,
          'ui-port': uiPort,
          'http-port': await ground.ports.take("Temporal's HTTP API"),
          'metrics-port': await ground.ports.take("Temporal's metrics"),
          'db-filename': join(ground.dir, 'temporal.db'),
          namespace: NAMESPACE,
          'log-level': 'error',
        }),
        // One shard, one writer: what each write costs is what a step of an operation waits for. What is written outlives the process, not the machine.
        '--sqlite-pragma=synchronous=off',
        // Attributes are known from the start; asking for them at each call is a third of all that the database is asked for.
        '--dynamic-config-value=system.forceSearchAttributesCacheRefreshOnRead=false',
        ...attributes,
      ],
      logFile: join(ground.dir, 'temporal.log'),
      readyWithinMs: READY_WITHIN_MS,
      ready: () => isServing(address),
    },
    ground.signal,
  );
  return { ...component, address, namespace: NAMESPACE, uiUrl: `http://127.0.0.1:${uiPort}` };
}
