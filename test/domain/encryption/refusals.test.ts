import { expect, test } from 'vitest';
import type { EncryptionFacts, NodeFacts } from '../../../src/domain/encryption/facts.ts';
import { readEncryption } from '../../../src/domain/encryption/reading.ts';
import { type EncryptionChange, notSafe } from '../../../src/domain/encryption/refusals.ts';
import { cluster, encrypted, HOUR, NOW, node, ON, ON_TUNNEL } from './clusters.ts';

const ON_WIREGUARD: EncryptionChange = { kind: 'on', mode: 'wireguard' };
const OFF: EncryptionChange = { kind: 'off' };
const three = [node('a'), node('b'), node('c')];

function codes(change: EncryptionChange, nodes: readonly NodeFacts[], changes: Partial<EncryptionFacts> = {}): readonly string[] {
  return notSafe(readEncryption(cluster(nodes, changes)), change).map(({ code }) => code);
}

test('a healthy cluster in native routing can be changed', () => {
  expect(codes(ON_WIREGUARD, three)).toEqual([]);
  expect(codes(OFF, [encrypted('a'), encrypted('b')], { config: ON, changedAt: NOW - 2 * HOUR })).toEqual([]);
});

const agents = { image: 'i:v1', mountsKeys: false, readsOverrides: true, denied: [] as readonly string[] };
const ipsecOn = { 'routing-mode': 'native', 'enable-ipsec': 'true' };
const ipsecNode = (name: string) => node(name, { key: 3, endpoints: { 3: 5 } });

test.each<[string, EncryptionChange, readonly NodeFacts[], Partial<EncryptionFacts>, string]>([
  ['WireGuard over IPsec', ON_WIREGUARD, [ipsecNode('a'), ipsecNode('b')], { config: ipsecOn }, 'other-mode'],
  [
    'IPsec over WireGuard',
    { kind: 'on', mode: 'ipsec' },
    [encrypted('a')],
    { config: ON, agents: { ...agents, mountsKeys: true } },
    'other-mode',
  ],
  ['the other mode on one node only', ON_WIREGUARD, [node('a'), ipsecNode('b')], {}, 'other-mode'],
  ['two modes at once', ON_WIREGUARD, three, { config: { ...ON, 'enable-ipsec': 'true' } }, 'two-modes'],
  ['a cluster mesh', ON_WIREGUARD, three, { config: { 'routing-mode': 'native', 'cluster-id': '2' } }, 'clustermesh'],
  ['IPsec without its secret', { kind: 'on', mode: 'ipsec' }, three, {}, 'no-key-secret'],
  ['values from Git', ON_WIREGUARD, three, { git: 'Argo CD application cilium' }, 'git'],
  ['a key that is blocked', ON_WIREGUARD, three, { agents: { ...agents, denied: ['enable-wireguard'] } }, 'blocked-keys'],
  ['a key that is not allowed', ON_WIREGUARD, three, { agents: { ...agents, allowed: ['debug'] } }, 'blocked-keys'],
  ['agents that read no CiliumNodeConfig', ON_WIREGUARD, three, { agents: { ...agents, readsOverrides: false } }, 'no-overrides'],
  [
    'two versions',
    ON_WIREGUARD,
    [node('a'), node('b', { agent: { pod: 'x', ready: true, image: 'i:v1.19.6', startedAt: NOW - HOUR } })],
    {},
    'mixed-versions',
  ],
  ['a node that is not ready', ON_WIREGUARD, [node('a'), node('b', { ready: false })], {}, 'nodes-not-ready'],
  ['an old kernel', ON_WIREGUARD, [node('a', { kernel: '5.4.0-200-generic' })], {}, 'kernel'],
  ['tunnel mode', ON_WIREGUARD, three, { config: { 'routing-mode': 'tunnel' } }, 'tunnel'],
  ['tunnel mode, which is the default', ON_WIREGUARD, three, { config: {} }, 'tunnel'],
  ['off under strict mode', OFF, [encrypted('a')], { config: { ...ON, 'enable-encryption-strict-mode-egress': 'true' } }, 'strict-first'],
  ['off where it is off', OFF, three, {}, 'nothing-to-do'],
  ['on where it is on', ON_WIREGUARD, [encrypted('a')], { config: ON, changedAt: NOW - 2 * HOUR }, 'nothing-to-do'],
  ['rotating what is not on', { kind: 'rotate', mode: 'ipsec' }, three, {}, 'nothing-to-do'],
])('%s is refused', (_name, change, nodes, changes, code) => {
  const found = notSafe(readEncryption(cluster(nodes, changes)), change);
  expect(found.map((one) => one.code)).toContain(code);
  for (const { reason, way } of found) {
    expect(reason.length).toBeGreaterThan(20);
    expect(way.length).toBeGreaterThan(10);
  }
});

test('tunnel mode is one window where that is asked for and allowed; native routing needs none', () => {
  const config = { 'routing-mode': 'tunnel' };
  expect(codes({ ...ON_WIREGUARD, tunnelWindow: 'refused' }, three, { config })).toEqual(['no-window']);
  expect(codes({ ...ON_WIREGUARD, tunnelWindow: 'allowed' }, three, {})).toEqual(['no-window']);
  expect(codes({ ...ON_WIREGUARD, tunnelWindow: 'allowed' }, three, { config })).toEqual([]);
  expect(codes({ kind: 'off', tunnelWindow: 'allowed' }, [encrypted('a')], { config: ON_TUNNEL, changedAt: NOW - 2 * HOUR })).toEqual([]);
});

test('what is on half of the nodes can be completed', () => {
  expect(codes(ON_WIREGUARD, [encrypted('a'), node('b')], { config: ON, changedAt: NOW - HOUR / 2 })).toEqual([]);
});
