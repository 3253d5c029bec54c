import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { findCandidate } from '../../../src/reading/policy/sources/find.ts';
import { readCandidate } from '../../../src/reading/policy/sources/read-candidate.ts';
import { downloadText } from '../../../src/reading/policy/sources/thread-file.ts';
import { GOOD } from '../../slack/policy/played.ts';

const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };
const signal = new AbortController().signal;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshops-'));
  mkdirSync(join(folder, 'backend'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A cluster with these ConfigMaps behind the label. */
function holding(...maps: readonly Record<string, string>[]): Cluster {
  const items = maps.map((data, index) => ({ metadata: { name: `policies-${index}` }, data }));
  const list = async (_resource: unknown, where: { labelSelector?: string }) => ({
    items: where.labelSelector === 'meshops.dev/policy=backend' ? items : [],
    resourceVersion: '1',
  });
  return { list } as unknown as Cluster;
}
const find = (cluster: Cluster, from?: string) => findCandidate({ cluster, label: 'meshops.dev/policy', folder: from }, target, signal);

describe('where the candidate comes from', () => {
  test('a ConfigMap with the label; keys that are no policy are passed over', async () => {
    const found = await find(holding({ 'backend.yaml': GOOD, README: 'x' }));
    expect(found).toMatchObject({ kind: 'found', candidate: { source: 'ConfigMap backend/policies-0 (backend.yaml)', text: GOOD } });
  });

  test('the same text twice is one, two different ones are a question', async () => {
    expect(await find(holding({ 'a.yaml': GOOD }, { 'b.yaml': GOOD }))).toMatchObject({ kind: 'found' });
    const two = await find(holding({ 'a.yaml': GOOD }, { 'b.yaml': GOOD.replace('8080', '9090') }));
    expect(two).toMatchObject({ kind: 'refused', refusal: { code: 'ManyCandidates' } });
  });

  test('the folder, and a ConfigMap before it, which is said', async () => {
    writeFileSync(join(folder, 'backend', 'backend.yaml'), GOOD.replace('8080', '9090'));
    expect(await find(holding(), folder)).toMatchObject({ kind: 'found', candidate: { source: expect.stringContaining('policy folder') } });
    expect(await find(holding({ 'a.yaml': GOOD }), folder)).toMatchObject({ note: expect.stringContaining('comes first') });
    const outside = { ...target, name: '../backend/backend' };
    const sources = { cluster: holding(), label: 'meshops.dev/policy', folder };
    expect(await findCandidate(sources, outside, signal)).toMatchObject({ refusal: { code: 'NoCandidate' } });
  });

  test('nothing says where was looked', async () => {
    const found = await find(holding());
    expect(found).toMatchObject({
      refusal: { code: 'NoCandidate', parameters: { looked: [expect.stringContaining('meshops.dev/policy=backend'), expect.any(String)] } },
    });
  });
});

test('a policy without a namespace is meant for the one of the workload; its hash is that of the text', () => {
  const text = GOOD.replace('  namespace: backend\n', '');
  const read = readCandidate(text, 'x', 'backend');
  expect(read).toMatchObject({
    candidate: { document: { metadata: { name: 'backend', namespace: 'backend' } }, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
});

test('the token goes to the file host alone, and no redirect is followed', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    if (request.url === '/moved') response.writeHead(302, { location: 'https://evil.example.com/' }).end();
    else response.end(GOOD);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = (url: string, hosts = [host]) => downloadText({ name: 'p.yaml', url }, { botToken: 'xoxb-secret', hosts, signal });
  try {
    expect(await get(`http://${host}/p.yaml`)).toEqual({ kind: 'text', text: GOOD });
    expect(asked).toEqual(['Bearer xoxb-secret']);
    expect(await get(`http://${host}/moved`)).toMatchObject({ kind: 'refused', words: expect.stringContaining('302') });
    for (const url of [`http://user@${host}/p`, 'http://files.slack.com/p', 'file:///etc/passwd', 'not a url']) {
      expect(await get(url, [host, 'files.slack.com'])).toMatchObject({ kind: 'refused', words: 'it is not stored in Slack.' });
    }
    expect(await get(`http://${host}/p.yaml`, ['files.slack.com'])).toMatchObject({ kind: 'refused' });
    expect(asked).toHaveLength(2);
  } finally {
    server.close();
  }
});
