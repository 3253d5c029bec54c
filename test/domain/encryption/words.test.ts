import { expect, test } from 'vitest';
import { advise } from '../../../src/domain/encryption/advise.ts';
import { keepingOf } from '../../../src/domain/encryption/keeping.ts';
import { readEncryption } from '../../../src/domain/encryption/reading.ts';
import { nextSpi, readKeyLine } from '../../../src/domain/encryption/spi.ts';
import { headOf, nodeTable, statusWords } from '../../../src/domain/encryption/words.ts';
import { cluster, encrypted, HOUR, NOW, node, ON, ON_TUNNEL } from './clusters.ts';

const changedAt = NOW - 2 * HOUR;
function text(...args: Parameters<typeof cluster>): string {
  const { head, paragraphs } = statusWords(readEncryption(cluster(...args)));
  return [head, ...paragraphs.map(({ strong, text: words }) => (strong === undefined ? words : `*${strong}* ${words}`))].join('\n');
}

test('off everywhere is said with what could be done', () => {
  expect(text([node('a'), node('b')])).toBe(
    'Encryption demo: off\n2 nodes, native routing, every kernel is new enough for WireGuard. Traffic between nodes is readable on the wire. It could be turned on node by node.',
  );
});

test('what does not agree comes first, what Helm does not know last', () => {
  const words = text([encrypted('n1', { keySince: NOW - 41 * 24 * HOUR }), encrypted('n2'), node('n3')], {
    config: ON,
    changedAt: NOW - HOUR / 2,
    helm: { release: 'cilium' },
    writers: { 'enable-wireguard': 'kubectl-patch' },
  }).split('\n');
  expect(words[0]).toBe('Encryption demo: WireGuard on 2 of 3 nodes');
  expect(words[1]).toBe(
    '*1 node disagrees:* n3: agent older than its configuration, configured for WireGuard but nothing runs (restart needed)',
  );
  expect(words[2]).toMatch(
    /^Pairs, by what the agents publish \(nothing was probed\): 2 encrypted, 4 plain\. On since .*Keys: oldest at least 41 days\. Strict mode off\. Node-to-node off\.$/,
  );
  expect(words[3]).toBe(
    '*Helm release cilium does not have it:* an upgrade keeps it, a new installation turns it off. Commit encryption.enabled=true, encryption.type=wireguard.',
  );
});

test('pods of before are said once for all nodes, and make none of them disagree', () => {
  const old = { podsSince: [NOW - 9 * HOUR, NOW - 8 * HOUR] };
  const words = text([encrypted('a', old), encrypted('b', old), encrypted('c')], { config: ON, changedAt: NOW - 2 * HOUR });
  expect(words).toContain('*4 pods on 2 nodes* may be older than the encryption');
  expect(words).not.toContain('disagree');
});

test('pairs that lose traffic are named', () => {
  expect(text([encrypted('a'), node('b')], { config: ON_TUNNEL, changedAt })).toContain('*Broken:* a → b and b → a lose new connections.');
});

test('500 nodes fit one message', () => {
  const nodes = Array.from({ length: 500 }, (_, index) =>
    (index % 3 === 0 ? node : encrypted)(`ip-10-0-${index}.eu-central-1.compute.internal`),
  );
  const words = text(nodes, { config: ON_TUNNEL, changedAt });
  expect(words.length).toBeLessThan(2_900);
  expect(words).toContain('and 157 more in the file');
  expect(nodeTable(readEncryption(cluster(nodes, { config: ON })))).toContain('ip-10-0-499.eu-central-1.compute.internal');
});

test('the first line holds 60 characters at most, with its state whole', () => {
  const nodes = [encrypted('a'), node('b', { key: 3 })];
  const head = headOf(readEncryption(cluster(nodes, { cluster: 'a-cluster-whose-name-is-as-long-as-a-label-of-kubernetes-may-be' })));
  expect(head.length).toBeLessThanOrEqual(60);
  expect(head).toMatch(/: WireGuard on 1, IPsec on 1 of 2 nodes$/);
});

test('Helm keeps what it has, merges what it has not, and may bring back what somebody turned off', () => {
  const kept = (changes: Parameters<typeof cluster>[1]) => keepingOf(readEncryption(cluster([encrypted('a')], changes))).kind;
  expect(kept({ config: ON })).toBe('by-hand');
  expect(kept({ config: ON, helm: { release: 'cilium' }, writers: { 'enable-wireguard': 'helm' } })).toBe('held');
  expect(kept({ config: ON, helm: { release: 'cilium' }, writers: { 'enable-wireguard': 'kubectl-edit' } })).toBe('not-in-values');
  const off = { ...ON, 'enable-wireguard': 'false' };
  expect(kept({ config: off, helm: { release: 'cilium' }, writers: { 'enable-wireguard': 'kubectl-edit' } })).toBe('may-come-back');
  expect(kept({ config: off, helm: { release: 'cilium' }, writers: { 'enable-wireguard': 'helm' } })).toBe('held');
});

test('advice: WireGuard, unless a node is labelled for FIPS or its kernel is too old; what runs stays', () => {
  const choice = (...args: Parameters<typeof cluster>) => advise(readEncryption(cluster(...args))).choice;
  expect(choice([node('a')])).toBe('wireguard');
  expect(choice([node('a', { labels: { 'node.example/fips': 'true' } })])).toBe('ipsec');
  expect(choice([node('a', { labels: { 'node.example/fips': 'false' } })])).toBe('wireguard');
  expect(choice([node('a', { kernel: '4.18.0' })])).toBe('ipsec');
  expect(choice([encrypted('a', { labels: { fips: 'true' } })], { config: ON, changedAt })).toBe('wireguard');
});

test('advice names a page for each reason, and what is in the way', () => {
  const advice = advise(readEncryption(cluster([node('a')], { config: { 'routing-mode': 'tunnel' } })));
  for (const { source } of [...advice.reasons, ...advice.beware]) expect(source).toMatch(/^https:\/\//);
  expect(advice.inTheWay.map(({ code }) => code)).toEqual(['tunnel']);
  expect(advice.values).toEqual(['encryption.enabled=true', 'encryption.type=wireguard']);
});

test('advice says in which order, where nothing is in the way', () => {
  const nodes = Array.from({ length: 12 }, (_, index) => node(`n${index}`));
  const { order } = advise(readEncryption(cluster(nodes)));
  expect(order).toBe(
    '1, 2, 6, 12 nodes, one agent after the other, zone by zone; each pair looked at before the next. Traffic between nodes that is lost: none when it was measured. Each of 12 agents restarts once.',
  );
  expect(advise(readEncryption(cluster([encrypted('a')], { config: ON, changedAt }))).order).toBeUndefined();
});

test('keys of IPsec are numbered forward, 1 after 15', () => {
  expect([1, 14, 15].map(nextSpi)).toEqual([2, 15, 1]);
  expect(() => nextSpi(0)).toThrow(RangeError);
  expect(() => nextSpi(16)).toThrow(RangeError);
  expect(readKeyLine('3+ rfc4106(gcm(aes)) 41049390e1e2b5d6543901daab6435f4042155fe 128')).toEqual({
    spi: 3,
    perTunnel: true,
    algorithm: 'rfc4106(gcm(aes))',
  });
  expect(readKeyLine('16 rfc4106(gcm(aes)) 41 128')).toBeUndefined();
});
