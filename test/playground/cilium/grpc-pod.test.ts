import { Client, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Fault, healthy } from '../../../playground/cilium/workloads/fault.ts';
import type { SeenRequest } from '../../../playground/cilium/workloads/gateway-door.ts';
import { type PodServer, servePod } from '../../../playground/cilium/workloads/pod-server.ts';

const instant = { median: 0, sigma: 0, max: 0 };
let pod: PodServer;
let asked: SeenRequest[];
let opened: number;
let unheard: number;

beforeEach(async () => {
  [asked, opened, unheard] = [[], 0, 0];
  const doorEvents = {
    opened: () => void (opened += 1),
    closed: () => undefined,
    unheard: () => void (unheard += 1),
    ask: async (_: number, request: SeenRequest) => {
      asked.push(request);
      return true;
    },
    answered: () => undefined,
  };
  pod = await servePod({ name: 'backend/ledger-1', version: 'v1', protocol: 'grpc', serviceTime: instant, seed: 1, doorEvents });
});
afterEach(() => pod.close());

const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function clientAt(port: number): Client {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
  clients.push(client);
  return client;
}

/** gRPC status and the answer's bytes. */
function call(client: Client, withinMs = 2_000): Promise<string> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const deadline = Date.now() + withinMs;
  return new Promise((resolve) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, Buffer.alloc(0), { deadline }, (error, answer) => {
      resolve(error ? (status[error.code] ?? '') : `OK ${answer?.toString('hex')}`);
    });
  });
}

test.each([
  ['by itself', () => pod.port, 0],
  ["through the proxy's door", () => pod.gatewayPort, 1],
])('a gRPC client is answered %s', async (_, port, doors) => {
  const client = clientAt(port());
  expect(await Promise.all([call(client), call(client)])).toEqual(['OK 0801', 'OK 0801']);
  expect(opened).toBe(doors);
});

test.each<[Partial<Fault>, string]>([
  [{ grpcRate: 1, grpcStatus: 14 }, 'UNAVAILABLE'],
  [{ grpcRate: 1, grpcStatus: 5 }, 'NOT_FOUND'],
  // gRPC's own mapping of an HTTP status without a gRPC one.
  [{ errorRate: 1, status: 500 }, 'UNKNOWN'],
  [{ resetRate: 1 }, 'INTERNAL'],
])('with the fault %j a call ends as %s, and the end of the fault ends it', async (fault, expected) => {
  const client = clientAt(pod.gatewayPort);
  await pod.setFault({ ...healthy, ...fault });
  expect(await call(client)).toBe(expected);
  await pod.setFault(healthy);
  expect(await call(client)).toBe('OK 0801');
});

test('a share of the calls fails when a share is asked for', async () => {
  const client = clientAt(pod.port);
  await pod.setFault({ ...healthy, grpcRate: 0.5 });
  const answers = await Promise.all(Array.from({ length: 200 }, () => call(client)));
  const failed = answers.filter((answer) => answer === 'UNAVAILABLE').length;
  // Seeded: always the same.
  expect(failed).toBeGreaterThan(70);
  expect(failed).toBeLessThan(130);
});

test('what hangs is cancelled with the end of the fault, and the connection goes on', async () => {
  const client = clientAt(pod.gatewayPort);
  await call(client);
  await pod.setFault({ ...healthy, hangRate: 1 });
  const hanging = call(client);
  // A later call that has reached its deadline: the first one is in the pod's hands.
  expect(await call(client, 100)).toBe('DEADLINE_EXCEEDED');
  await pod.setFault(healthy);
  expect(await hanging).toBe('CANCELLED');
  expect(await call(client)).toBe('OK 0801');
  expect(opened).toBe(1);
});

test('a crash refuses, and its end serves on the same ports', async () => {
  const client = clientAt(pod.gatewayPort);
  await call(client);
  await pod.setFault({ ...healthy, crashed: true });
  expect(await call(client)).toBe('UNAVAILABLE');
  await pod.setFault(healthy);
  expect(await call(clientAt(pod.gatewayPort))).toBe('OK 0801');
  expect(await call(clientAt(pod.port))).toBe('OK 0801');
});

test('the door can be shut, and can ask before each call', async () => {
  const client = clientAt(pod.gatewayPort);
  await call(client);
  pod.setDoor('shut');
  expect(await call(client, 100)).toBe('DEADLINE_EXCEEDED');
  expect(unheard).toBe(1);
  pod.setDoor('ask');
  expect(await call(client)).toBe('OK 0801');
  expect(asked.at(-1)).toMatchObject({ method: 'POST', path: '/grpc.health.v1.Health/Check', host: `127.0.0.1:${pod.gatewayPort}` });
  expect(Object.keys(asked.at(-1)?.headers ?? {}).filter((name) => name.startsWith(':'))).toEqual([]);
});
