import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import { cluster, encrypted, HOUR, NOW, node, ON, ON_TUNNEL } from '../../domain/encryption/clusters.ts';
import { CHANNEL, type Stage, stage } from '../stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

async function type(line: string): Promise<string> {
  const outcome = await at.slack.drive.as('U0OPERATOR', { staleSession: true }).command(CHANNEL, line);
  expect(outcome.ackMs).toBeLessThan(3_000);
  await at.idle();
  return outcome.shown?.text ?? '';
}
const posted = () => at.slack.drive.messages(CHANNEL).filter(({ user }) => user === 'U0MESHOPS');
const heard = () => at.slack.drive.as('U0OPERATOR').ephemerals().at(-1)?.text ?? '';
const whole = () => JSON.stringify(posted().at(-1)?.blocks ?? []);
const files = () => at.slack.drive.thread(CHANNEL, posted().at(-1)?.ts ?? '').flatMap((message) => message.files ?? []);

test.each(['/encryption status', '/mesh encryption status demo', '/mesh encryption status'])(
  '%s says what runs, with every pair as a picture',
  async (line) => {
    at.encryption.says = cluster([encrypted('node-1'), encrypted('node-2'), node('node-3')], { config: ON, changedAt: NOW - HOUR / 2 });
    expect(await type(line)).toContain('Reading the encryption of `demo`');
    expect(posted().at(-1)?.text).toMatch(/^Encryption demo: WireGuard on 2 of 3 nodes\. \*1 node disagrees:\* node-3: agent older/);
    expect(whole()).toContain('2 encrypted, 4 plain');
    expect(files()).toMatchObject([{ name: 'encryption-demo.png' }]);
    expect(at.played.begins).toHaveLength(0);
  },
);

test('/encryption status of 500 nodes is one message, with a file for every node', async () => {
  const nodes = Array.from({ length: 500 }, (_, index) =>
    (index % 3 === 0 ? node : encrypted)(`ip-10-0-${index}`, {
      labels: { 'topology.kubernetes.io/zone': `eu-central-1${'abc'[index % 3]}` },
    }),
  );
  at.encryption.says = cluster(nodes, { config: ON_TUNNEL, changedAt: NOW - 2 * HOUR });
  await type('/encryption status');
  expect(whole().length).toBeLessThan(4_000);
  expect(whole()).toContain('and 157 more in the file');
  expect(files().map(({ name }) => name)).toEqual(['encryption-demo.png', 'encryption-demo.tsv']);
});

test('more nodes than a message names come as a file too', async () => {
  at.encryption.says = cluster(Array.from({ length: 13 }, (_, index) => node(`n${index}`)));
  await type('/encryption status');
  expect(files().map(({ name }) => name)).toEqual(['encryption-demo.png', 'encryption-demo.tsv']);
});

test('names of nodes have no effect in Slack', async () => {
  at.encryption.says = cluster([node('<!channel> *a*'), encrypted('b')], { config: ON, changedAt: NOW - HOUR / 2 });
  await type('/encryption status');
  expect(whole()).not.toContain('<!channel>');
  expect(posted().at(-1)?.text).not.toContain('<!channel>');
});

test('/encryption advise says what suits the cluster, why, and what is in the way', async () => {
  at.encryption.says = cluster([node('node-1'), node('node-2')], { config: { 'routing-mode': 'tunnel' } });
  await type('/encryption advise');
  expect(posted().at(-1)?.text).toMatch(/^Encryption demo: WireGuard is advised\./);
  expect(whole()).toContain('<https://docs.cilium.io/en/stable/security/network/encryption-wireguard/|Source>');
  expect(whole()).toContain('In the way today');
  expect(whole()).toContain('`encryption.type=wireguard`');
});

test('a cluster that does not answer is said, to whoever asked alone', async () => {
  at.encryption.says = new ClusterFailure('Unreachable', 'connection refused');
  await type('/encryption status');
  expect(heard()).toContain('Cluster demo could not be asked: connection refused.');
  expect(posted()).toHaveLength(0);
});

test.each(['/encryption rotate', '/encryption strict on', '/mesh encryption mtls'])(
  '%s says that it is not there, and what is',
  async (line) => {
    const answer = await type(line);
    expect(answer).toContain('is not there.');
    expect(answer).toContain('Nothing was changed.');
    expect(answer).toMatch(/Did you mean `\/(mesh encryption|encryption) advise`\?/);
    expect(posted()).toHaveLength(0);
  },
);

test('a cluster that is not configured is refused', async () => {
  expect(await type('/encryption status prod')).toContain('prod');
  expect(posted()).toHaveLength(0);
});
