import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../../src/domain/encryption/mode.ts';
import { type Disagreement, readEncryption } from '../../../src/domain/encryption/reading.ts';
import { cluster, encrypted, HOUR, NOW, node, ON } from './clusters.ts';

function disagreements(facts: Parameters<typeof readEncryption>[0]): Readonly<Record<string, readonly Disagreement[]>> {
  return Object.fromEntries(readEncryption(facts).nodes.map((one) => [one.name, one.disagreements]));
}

describe('what does not agree', () => {
  it('is nothing where every node does what it is told', () => {
    expect(disagreements(cluster([node('a'), node('b')]))).toEqual({ a: [], b: [] });
    expect(disagreements(cluster([encrypted('a'), encrypted('b')], { config: ON, changedAt: NOW - 2 * HOUR }))).toEqual({ a: [], b: [] });
  });

  it('is an agent that is older than its configuration', () => {
    const found = disagreements(cluster([encrypted('a'), node('b')], { config: ON, changedAt: NOW - HOUR / 2 }));
    expect(found['b']).toEqual([{ kind: 'agent-older', configured: 'wireguard', running: 'off' }]);
    expect(found['a']).toEqual([]);
  });

  it('is an agent that still encrypts after the keys were taken out', () => {
    const found = disagreements(cluster([encrypted('a')], { changedAt: NOW - HOUR / 2 }));
    expect(found['a']).toEqual([{ kind: 'agent-older', configured: 'off', running: 'wireguard' }]);
  });

  it('is a peer that has started with its configuration and has no key', () => {
    const found = disagreements(cluster([encrypted('a'), node('b', { key: 255 })], { config: ON, changedAt: NOW - 2 * HOUR }));
    expect(found['b']).toContainEqual({ kind: 'not-done', configured: 'wireguard', running: 'off' });
  });

  it('is pods that do not carry the key of their node', () => {
    const found = disagreements(cluster([encrypted('a', { endpoints: { 255: 5, 0: 2 } })], { config: ON, changedAt: NOW - 2 * HOUR }));
    expect(found['a']).toEqual([{ kind: 'endpoints', wrong: 2, of: 7 }]);
  });

  it('is a key that two nodes publish', () => {
    const found = disagreements(
      cluster([encrypted('a', { publicKey: 'k' }), encrypted('b', { publicKey: 'k' })], { config: ON, changedAt: NOW - 2 * HOUR }),
    );
    expect(found['a']).toEqual([{ kind: 'same-key', as: 'b' }]);
    expect(found['b']).toEqual([{ kind: 'same-key', as: 'a' }]);
  });

  it('is a node without a ready agent: what it published is not believed', () => {
    const { nodes } = readEncryption(
      cluster([encrypted('a', { agent: { pod: 'x', ready: false, image: 'i:v1' } })], { config: ON, changedAt: NOW - 2 * HOUR }),
    );
    expect(nodes[0]?.running).toBeUndefined();
    expect(nodes[0]?.disagreements).toContainEqual({ kind: 'agent-down' });
  });

  it('is another version than most', () => {
    const other = { pod: 'x', ready: true, image: 'quay.io/cilium/cilium:v1.19.6', startedAt: NOW - HOUR };
    const found = disagreements(cluster([node('a'), node('b'), node('c', { agent: other })]));
    expect(found['c']).toEqual([{ kind: 'version', version: 'v1.19.6', others: 'v1.20.2' }]);
  });

  it('is pods of before the encryption, which keep their MTU', () => {
    const found = disagreements(
      cluster([encrypted('a', { podsSince: [NOW - 9 * HOUR, NOW - 3 * HOUR, NOW - HOUR / 2] })], { config: ON, changedAt: NOW - 2 * HOUR }),
    );
    expect(found['a']).toEqual([{ kind: 'old-pods', count: 2 }]);
  });

  it('is two modes at once', () => {
    const found = disagreements(cluster([node('a')], { config: { ...ON, 'enable-ipsec': 'true' } }));
    expect(found['a']).toContainEqual({ kind: 'two-modes' });
  });
});

describe('a configuration of its own', () => {
  const override = {
    name: 'meshops',
    labels: { 'kubernetes.io/hostname': 'b' },
    expressions: [],
    settings: { 'enable-wireguard': 'true' },
    changedAt: NOW - HOUR / 2,
  };

  it('counts for the nodes that it selects, and an older agent there has not read it', () => {
    const found = disagreements(cluster([node('a'), node('b')], { overrides: [override] }));
    expect(found['a']).toEqual([]);
    expect(found['b']).toEqual([
      { kind: 'agent-older', configured: 'wireguard', running: 'off' },
      { kind: 'own-configuration', by: ['meshops'], configured: 'wireguard' },
    ]);
  });

  it('counts for nothing where its keys are blocked', () => {
    const agents = { image: 'i:v1', mountsKeys: false, readsOverrides: true, denied: ['enable-wireguard'] };
    const found = disagreements(
      cluster([node('b', { agent: { pod: 'x', ready: true, image: 'i:v1' } })], { overrides: [override], agents }),
    );
    expect(found['b']).toEqual([{ kind: 'blocked', keys: ['enable-wireguard'] }]);
  });

  it('of two the later by name wins', () => {
    const off = { ...override, name: 'zzz', settings: { 'enable-wireguard': 'false' } };
    const facts = cluster([], { overrides: [off, override] });
    expect(settingsOf(facts, { 'kubernetes.io/hostname': 'b' })).toMatchObject({
      settings: { 'enable-wireguard': 'false' },
      by: ['meshops', 'zzz'],
    });
  });

  it.each([
    ['In', ['b'], true],
    ['NotIn', ['b'], false],
    ['Exists', [], true],
    ['DoesNotExist', [], false],
    ['Near', [], false],
  ] as const)('with the operator %s', (operator, values, selected) => {
    const facts = cluster([], { overrides: [{ ...override, labels: {}, expressions: [{ key: 'zone', operator, values }] }] });
    expect(settingsOf(facts, { zone: 'b' }).by.length > 0).toBe(selected);
  });
});
