import { expect, test } from 'vitest';
import { pairsOf, zonePairs } from '../../../src/domain/encryption/pairs.ts';
import { readEncryption } from '../../../src/domain/encryption/reading.ts';
import { cluster, encrypted, HOUR, NOW, node, ON, ON_TUNNEL } from './clusters.ts';

const changedAt = NOW - 2 * HOUR;
const rowsOf = (...args: Parameters<typeof cluster>) => pairsOf(readEncryption(cluster(...args))).rows;

test('native routing: a pair is encrypted when both ends have it, else plain; nothing is lost', () => {
  expect(rowsOf([encrypted('a'), encrypted('b'), node('c')], { config: ON, changedAt })).toEqual([
    [undefined, 'encrypted', 'plain'],
    ['encrypted', undefined, 'plain'],
    ['plain', 'plain', undefined],
  ]);
});

test('tunnel mode: a node with encryption and one without lose what they send each other, both ways', () => {
  expect(rowsOf([encrypted('a'), encrypted('b'), node('c')], { config: ON_TUNNEL, changedAt })).toEqual([
    [undefined, 'encrypted', 'broken'],
    ['encrypted', undefined, 'broken'],
    ['broken', 'broken', undefined],
  ]);
});

test('native routing: what goes to a node some of whose pods have no key is not called encrypted', () => {
  const rows = rowsOf([encrypted('a'), encrypted('b', { endpoints: { 255: 4, 0: 1 } })], { config: ON, changedAt });
  expect(rows).toEqual([
    [undefined, 'plain'],
    ['encrypted', undefined],
  ]);
});

test('an agent of seconds ago has published more than it does: changing, never encrypted', () => {
  const young = { pod: 'x', ready: true, image: 'i:v1', startedAt: NOW - 3_900 };
  const rows = rowsOf([encrypted('a'), encrypted('b', { agent: young })], { config: ON, changedAt });
  expect(rows).toEqual([
    [undefined, 'changing'],
    ['changing', undefined],
  ]);
});

test('an agent that has restarted in its old pod is as young', () => {
  const crashed = { pod: 'x', ready: true, image: 'i:v1', startedAt: NOW - 3_600_000, runningSince: NOW - 3_900 };
  const rows = rowsOf([encrypted('a'), encrypted('b', { agent: crashed })], { config: ON, changedAt });
  expect(rows[0]).toEqual([undefined, 'changing']);
});

test('nothing is said of a node without a ready agent, of a key that two nodes have, of IPsec beside something else', () => {
  const down = { pod: 'x', ready: false, image: 'i:v1' };
  expect(rowsOf([encrypted('a'), encrypted('b', { agent: down })], { config: ON, changedAt })[0]?.[1]).toBe('unknown');
  const twins = [encrypted('a', { publicKey: 'k' }), encrypted('b', { publicKey: 'k' })];
  expect(rowsOf(twins, { config: ON, changedAt })[0]?.[1]).toBe('unknown');
  expect(rowsOf([encrypted('a'), node('b', { key: 3, endpoints: { 3: 1 } })], { config: ON, changedAt })[1]?.[0]).toBe('unknown');
});

test('IPsec is encrypted with one key, changing while two are in use', () => {
  const config = { 'routing-mode': 'native', 'enable-ipsec': 'true' };
  const ipsec = (name: string, key: number) => node(name, { key, endpoints: { [key]: 5 } });
  expect(rowsOf([ipsec('a', 3), ipsec('b', 3)], { config })[0]?.[1]).toBe('encrypted');
  expect(rowsOf([ipsec('a', 3), ipsec('b', 4)], { config })[0]?.[1]).toBe('changing');
});

test('counts and zones hold every pair once', () => {
  const nodes = ['a', 'b', 'c', 'd', 'e'].map((name, index) =>
    (index < 3 ? encrypted : node)(name, { labels: { 'topology.kubernetes.io/zone': index < 2 ? 'z1' : 'z2' } }),
  );
  const reading = readEncryption(cluster(nodes, { config: ON, changedAt }));
  const pairs = pairsOf(reading);
  expect(Object.values(pairs.counts).reduce((a, b) => a + b, 0)).toBe(20);
  const zones = zonePairs(reading, pairs);
  expect(zones.map(({ from, to, of, counts }) => [from, to, of, counts.encrypted])).toEqual([
    ['z1', 'z1', 2, 2],
    ['z1', 'z2', 6, 2],
    ['z2', 'z1', 6, 2],
    ['z2', 'z2', 6, 0],
  ]);
});
