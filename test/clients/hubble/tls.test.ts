import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, createAuthority, type Issued } from '../../../playground/cilium/certificates.ts';
import { createFlows } from '../../../src/clients/hubble/flows.ts';
import { namedNodes } from '../../../src/clients/hubble/named-nodes.ts';
import { fixedNodes, type HubbleNode, type NodeSource } from '../../../src/clients/hubble/nodes.ts';
import { connectObserver } from '../../../src/clients/hubble/observer.ts';
import { agentServerName } from '../../../src/clients/hubble/tls.ts';
import { SILENT } from '../../../src/log.ts';
import { answerFlow, startAgent } from '../../activities/support/hubble.ts';

const NODE = 'ip-10-0-0-1.eu.internal';
const NAME = 'ip-10-0-0-1-eu-internal.prod-1.hubble-grpc.cilium.io';

let authority: Authority;
let client: Issued;
let folder: string;
const cleanups: (() => void)[] = [];

beforeAll(async () => {
  authority = await createAuthority(Date.now());
  client = authority.issue(['*.hubble-relay.cilium.io']);
  folder = await mkdtemp(join(tmpdir(), 'meshops-tls-'));
}, 30_000);
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function serving({ cert, key }: Issued, by = authority): ServerCredentials {
  return ServerCredentials.createSsl(Buffer.from(by.cert), [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }], true);
}

async function write({ cert, key }: Issued = client, by = authority) {
  const files = { caFile: join(folder, 'ca.crt'), certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
  await Promise.all([writeFile(files.caFile, by.cert), writeFile(files.certFile, cert), writeFile(files.keyFile, key)]);
  return files;
}

async function startNode(names: readonly string[], options: { readonly until?: number } = {}) {
  const agent = await startAgent(NODE, serving(authority.issue(names, options)));
  cleanups.push(() => agent.stop());
  return agent;
}

/** Follows the node by the name that its certificate must have, and says what becomes of it. */
function follow(nodes: NodeSource, tls: Awaited<ReturnType<typeof write>> | Partial<Awaited<ReturnType<typeof write>>>) {
  const named = namedNodes(nodes, () => Promise.resolve('prod-1'));
  const connect = ({ address, serverName }: HubbleNode) => connectObserver(address, { ...tls, serverName });
  const flows = createFlows({ nodes: named, connect, now: Date.now, log: SILENT });
  const stop = new AbortController();
  cleanups.push(
    () => flows.close(),
    () => stop.abort(),
  );
  const news: string[] = [];
  const heard: string[] = [];
  flows.follow(
    ['backend'],
    {
      flow: (flow) => void heard.push(flow.uuid ?? ''),
      gap: (_node, _at, reason) => void news.push(reason),
      sight: () => void news.push('seen'),
    },
    stop.signal,
  );
  return { heard, news, last: () => news.at(-1) };
}

test("an agent is known by its node's and its cluster's name, dots as dashes", () => {
  expect(agentServerName(NODE, 'prod-1')).toBe(NAME);
});

describe('an agent with a certificate', () => {
  test('of its own name is seen, though its address is in none', async () => {
    const agent = await startNode([NAME]);
    const { last } = follow(fixedNodes([agent]), await write());
    await expect.poll(last).toBe('seen');
  });

  test('is asked without the proxy of the environment', async () => {
    process.env['https_proxy'] = 'http://127.0.0.1:1';
    cleanups.push(() => delete process.env['https_proxy']);
    const agent = await startNode([NAME]);
    const { last } = follow(fixedNodes([agent]), await write());
    await expect.poll(last).toBe('seen');
  });

  test('of all nodes of the cluster is seen', async () => {
    const agent = await startNode(['*.prod-1.hubble-grpc.cilium.io']);
    const { last } = follow(fixedNodes([agent]), await write());
    await expect.poll(last).toBe('seen');
  });

  test.each([
    ['of another cluster', ['*.prod-2.hubble-grpc.cilium.io'], {}, /altnames/],
    ['that has expired', [NAME], { until: Date.now() - 60_000 }, /certificate has expired/],
  ])('%s is not, and the reason says so', async (_, names, options, reason) => {
    const agent = await startNode(names, options);
    const { news } = follow(fixedNodes([agent]), await write());
    await expect.poll(() => news.some((words) => reason.test(words)), { timeout: 5_000 }).toBe(true);
    expect(news).not.toContain('seen');
  });

  test('of another authority is not', async () => {
    const agent = await startNode([NAME]);
    const other = await createAuthority(Date.now());
    const { news } = follow(fixedNodes([agent]), await write(client, other));
    await expect.poll(() => news.some((words) => /certificate is signed by another authority/.test(words)), { timeout: 5_000 }).toBe(true);
    expect(news).not.toContain('seen');
  });
});

test('who shows no certificate is not answered', async () => {
  const agent = await startNode([NAME]);
  const { caFile } = await write();
  const { news } = follow(fixedNodes([agent]), { caFile });
  await expect.poll(() => news.length, { timeout: 5_000 }).toBeGreaterThan(1);
  expect(news).not.toContain('seen');
});

test('a file that is not there is named, and read once it is', async () => {
  const agent = await startNode([NAME]);
  const files = await write();
  await rm(files.certFile);
  const { last, news } = follow(fixedNodes([agent]), files);
  await expect.poll(() => news.find((words) => words.includes(files.certFile))).toContain('cannot be read');
  await write();
  await expect.poll(last, { timeout: 5_000 }).toBe('seen');
});

test('a ring that is read back without the files is a gap with the reason, and no failure of the watch', async () => {
  const agent = await startNode([NAME]);
  const tls = { ...(await write()), certFile: join(folder, 'nowhere.crt') };
  const connect = ({ address }: HubbleNode) => connectObserver(address, { ...tls, serverName: NAME });
  const flows = createFlows({ nodes: fixedNodes([agent]), connect, now: Date.now, log: SILENT });
  cleanups.push(() => flows.close());
  const gaps: string[] = [];
  const follower = {
    flow: () => undefined,
    gap: (_node: string, _at: number, reason: string) => void gaps.push(reason),
    sight: () => undefined,
  };
  await flows.replay(['backend'], Date.now() - 1_000, follower, new AbortController().signal);
  expect(gaps).toEqual([expect.stringContaining(tls.certFile)]);
});

test('certificates that are renewed while a watch runs end nothing, and the next connection uses them', async () => {
  const agent = await startNode([NAME]);
  const files = await write();
  const { last, news, heard } = follow(fixedNodes([agent]), files);
  await expect.poll(last).toBe('seen');
  const next = await createAuthority(Date.now());
  await write(next.issue(['*.hubble-relay.cilium.io']), next);
  const before = answerFlow(NODE);
  agent.ring.push({ kind: 'flow', flow: before });
  await expect.poll(() => heard).toContain(before.uuid);
  // The agent's own are renewed as well; its streams end with the process, and what comes next is of the new authority alone.
  agent.stop();
  await agent.restart(serving(next.issue([NAME]), next));
  await expect.poll(() => news.filter((words) => words === 'seen').length, { timeout: 10_000 }).toBe(2);
  const after = answerFlow(NODE);
  agent.ring.push({ kind: 'flow', flow: after });
  await expect.poll(() => heard).toContain(after.uuid);
});

test("while the cluster's name cannot be read its agents count as unseen; once it can they are named", async () => {
  const told: (readonly HubbleNode[])[] = [];
  let tries = 0;
  const clusterName = () => {
    tries += 1;
    return tries === 1 ? Promise.reject(new Error('forbidden')) : Promise.resolve('prod-1');
  };
  const stop = new AbortController();
  cleanups.push(() => stop.abort());
  namedNodes(fixedNodes([{ node: NODE, address: 'x' }]), clusterName)((nodes) => void told.push(nodes), stop.signal);
  await expect.poll(() => told.length, { timeout: 5_000 }).toBe(2);
  expect(told.map(([node]) => node)).toMatchObject([{ problem: "the cluster's name cannot be read (forbidden)" }, { serverName: NAME }]);
  expect(told[1]?.[0]?.problem).toBeUndefined();
});
