import { expect, test } from 'vitest';
import { settingsOf } from '../../../src/domain/encryption/mode.ts';
import { nodeConfigFor, planEncryption } from '../../../src/domain/encryption/plan.ts';
import { readEncryption } from '../../../src/domain/encryption/reading.ts';
import { cluster, encrypted, HOUR, NOW, node, ON } from './clusters.ts';

const twelve = Array.from({ length: 12 }, (_, index) => node(`node-${index + 1}`));
const on = { kind: 'on', mode: 'wireguard' } as const;

test('native routing: one node, then shares, then all; what it costs; one approver', () => {
  const plan = planEncryption(readEncryption(cluster(twelve)), on);
  if (plan.kind !== 'plan') throw new Error(JSON.stringify(plan));
  expect(plan.stages.map(({ label }) => label)).toEqual(['nodes, 1 of 12', 'nodes, 2 of 12', 'nodes, 6 of 12', 'nodes, 12 of 12']);
  expect(plan.stages.at(-1)?.changed).toHaveLength(12);
  expect(plan.stages.flatMap(({ batches }) => batches).every((batch) => batch.length === 1)).toBe(true);
  expect(plan).toMatchObject({ quorum: 1, atTheEnd: { 'enable-wireguard': 'true' } });
  expect(plan.cost).toContain('12 agents');
});

test('nodes that have it already are left alone', () => {
  const half = [encrypted('a'), node('b'), encrypted('c'), node('d')];
  const plan = planEncryption(readEncryption(cluster(half, { config: ON, changedAt: NOW - HOUR / 2 })), on);
  expect(plan.kind === 'plan' && plan.stages.at(-1)?.changed).toEqual(['b', 'd']);
});

test('off needs two approvers, costs seconds, and takes the key out at the end', () => {
  const plan = planEncryption(readEncryption(cluster([encrypted('a'), encrypted('b')], { config: ON, changedAt: NOW - 2 * HOUR })), {
    kind: 'off',
  });
  expect(plan).toMatchObject({
    kind: 'plan',
    quorum: 2,
    atTheEnd: { 'enable-wireguard': null },
    cost: expect.stringContaining('about 3 s'),
  });
});

test('tunnel mode: all at once where that is allowed, else refused', () => {
  const reading = readEncryption(cluster(twelve, { config: { 'routing-mode': 'tunnel' } }));
  expect(planEncryption(reading, on)).toMatchObject({ kind: 'impossible', because: [{ code: 'tunnel' }] });
  const plan = planEncryption(reading, { ...on, tunnelWindow: 'allowed' });
  expect(plan.kind === 'plan' && plan.stages.map(({ batches }) => batches.map((batch) => batch.length))).toEqual([[12]]);
});

test('the configuration of a stage turns it on for exactly its nodes, over any other', () => {
  const config = nodeConfigFor({ opId: 'encryption-11fa02', namespace: 'kube-system' }, on, ['node-2', 'node-4']);
  const { metadata, spec } = config as unknown as {
    metadata: { name: string };
    spec: { defaults: Record<string, string>; nodeSelector: { matchExpressions: { key: string; operator: string; values: string[] }[] } };
  };
  const own = { name: metadata.name, labels: {}, expressions: spec.nodeSelector.matchExpressions, settings: spec.defaults };
  const other = { name: 'somebody', labels: {}, expressions: [], settings: { 'enable-wireguard': 'false' } };
  const facts = cluster(twelve, { overrides: [own, other] });
  const told = facts.nodes.filter(({ labels }) => settingsOf(facts, labels).settings['enable-wireguard'] === 'true');
  expect(told.map(({ name }) => name)).toEqual(['node-2', 'node-4']);
});
