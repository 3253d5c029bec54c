import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, describe, expect, it } from 'vitest';
import { type Cluster, connectCluster, nextPage } from '../../../src/clients/kubernetes/cluster.ts';
import { POD, type Pod } from '../../../src/clients/kubernetes/objects.ts';
import { type PodPart, podPart } from '../../../src/clients/kubernetes/parts.ts';

const signal = AbortSignal.timeout(60_000);
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** An API server with these pods, that notes how many bytes each of its answers had. */
async function serving(pods: readonly object[]): Promise<{ readonly cluster: Cluster; readonly answers: number[] }> {
  const answers: number[] = [];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams;
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit') ?? pods.length);
    const metadata = { resourceVersion: '7', ...(to < pods.length && { continue: String(to) }) };
    const text = JSON.stringify({ metadata, items: pods.slice(from, to) });
    answers.push(text.length);
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'test', server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, skipTLSVerify: true },
    { name: 'test' },
  );
  const cluster = connectCluster(config);
  closing.push(
    () => cluster.close(),
    () => server.close(),
  );
  return { cluster, answers };
}

function pod(number: number, bytes: number) {
  return {
    metadata: {
      name: `app-${number}`,
      namespace: 'shop',
      uid: `uid-${number}`,
      resourceVersion: '1',
      labels: { app: 'app' },
      annotations: { 'meshops.dev/operation': 'policy-x/1', note: 'x'.repeat(bytes) },
      managedFields: [{ manager: 'kubelet' }],
    },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'app', image: 'x', ports: [{ name: 'http', containerPort: 8080 }] }, { name: 'side' }],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [
        { type: 'Initialized', status: 'True' },
        { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    },
  };
}

describe('a list of thousands', () => {
  it.each([
    ['small', 200, 3_000],
    ['large', 40_000, 200],
    ['very large', 300_000, 30],
  ])('of %s objects comes in answers that are parsed in a moment', async (_, bytes, count) => {
    const pods = Array.from({ length: count }, (__, number) => pod(number, bytes));
    const { cluster, answers } = await serving(pods);
    const { items } = await cluster.list<Pod>(POD, { namespace: 'shop' }, { signal });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(pods.map(({ metadata }) => metadata.name));
    // The first answer comes before the size is known.
    expect(Math.max(...answers.slice(1))).toBeLessThan(Math.max(256 * 1_024, bytes * 1.1));
    // Nor is it asked more often than that needs.
    expect(answers.length).toBeLessThan(6 + 1.5 * Math.max((count * (bytes + 700)) / (192 * 1_024), bytes > 192 * 1_024 ? count : 0));
  });

  it('keeps of each what is asked for, and nothing else', async () => {
    const { cluster } = await serving([pod(1, 10)]);
    const { items } = await cluster.list<Pod, PodPart>(POD, { namespace: 'shop' }, { signal, part: podPart });
    expect(items).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'app-1',
          namespace: 'shop',
          uid: 'uid-1',
          labels: { app: 'app' },
          annotations: { 'meshops.dev/operation': 'policy-x/1' },
        },
        spec: { nodeName: 'node-1', containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
        status: { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ]);
  });
});

it('a page grows twofold at most, and never holds nothing', () => {
  expect(nextPage(20, 10)).toBe(40);
  expect(nextPage(500, 10)).toBe(500);
  expect(nextPage(500, 10_000_000)).toBe(1);
});
