import { afterEach, expect, test } from 'vitest';
import { createEncryptionAgents, type EncryptionAgents } from '../../../playground/cilium/encryption/agents.ts';
import { type NodeEncryption, passage, plain } from '../../../playground/cilium/encryption/passage.ts';
import { settingsFor } from '../../../playground/cilium/encryption/settings.ts';
import type { Kube } from '../../../playground/cilium/kube/client.ts';
import type { KubeObject, Pod } from '../../../playground/cilium/kube/types.ts';
import { isReady, keyOf } from '../../../playground/cilium/kube/types.ts';
import { meshNodes } from '../../../playground/cilium/nodes.ts';

const on: NodeEncryption = { publicKey: 'k', encrypting: true };
const lagging: NodeEncryption = { publicKey: 'k', encrypting: false };

test.each<[string, NodeEncryption, NodeEncryption, boolean, string]>([
  ['native: both on', on, on, false, 'encrypted'],
  ['native: one on', on, plain, false, 'plain'],
  ['native: the other on', plain, on, false, 'plain'],
  ['native: a key is published and nothing encrypted yet', lagging, on, false, 'plain'],
  ['tunnel: both on', on, on, true, 'encrypted'],
  ['tunnel: one on', on, plain, true, 'lost'],
  ['tunnel: the other on, whose answers are lost', plain, on, true, 'lost'],
  ['tunnel: both have published, one encrypts: the skew of two restarts costs nothing', on, lagging, true, 'encrypted'],
  ['off: peers still send to a device that is gone', { encrypting: false, lostUntil: 200 }, on, false, 'lost'],
  ['off: no peer sends there any more', { encrypting: false, lostUntil: 99 }, on, false, 'plain'],
])('%s', (_name, from, to, tunnel, expected) => {
  expect(passage(from, to, { tunnel, now: 100 })).toBe(expected);
});

test('settings of a node: the later override by name wins', () => {
  const override = (name: string, value: string, values: readonly string[]) => ({
    metadata: { name },
    spec: { defaults: { a: value }, nodeSelector: { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] } },
  });
  const labels = { 'kubernetes.io/hostname': 'node-1' };
  expect(settingsFor({ a: '0', b: '0' }, [override('z', '2', ['node-1']), override('m', '1', ['node-1'])], labels)).toEqual({
    a: '2',
    b: '0',
  });
  expect(settingsFor({ a: '0' }, [override('z', '2', ['node-2'])], labels)).toEqual({ a: '0' });
});

const ending: AbortController[] = [];
afterEach(() => {
  for (const one of ending.splice(0)) one.abort();
});

/** Agents over an API server of a map: pods that are made and removed are seen at once. */
function play({ encryptMs = 60 } = {}) {
  const end = new AbortController();
  ending.push(end);
  const pods = new Map<string, Pod>();
  const nodes = new Map<string, { annotations: Record<string, string | null>; key: number | null }>();
  const config: Record<string, string> = {};
  let names = 0;
  let agents: EncryptionAgents | undefined;
  const again = (): void => void setImmediate(() => void agents?.reconcile());
  const kube = {
    apply: async (_of: unknown, object: KubeObject) => object,
    get: async (of: { plural: string }) =>
      of.plural === 'configmaps' ? { metadata: { name: 'c' }, data: { ...config } } : { metadata: { name: 'n' } },
    list: async () => ({ items: [], resourceVersion: '1' }),
    create: async (_of: unknown, pod: Pod) => {
      pods.set(keyOf(pod), { ...pod, metadata: { ...pod.metadata, creationTimestamp: '2026-11-29T00:00:00Z' } });
      again();
      return pod;
    },
    remove: async (_of: unknown, pod: Pod) => {
      pods.delete(keyOf(pod));
      again();
    },
    merge: async (
      of: { plural: string },
      object: KubeObject,
      patch: { status?: object; metadata?: { annotations: Record<string, string | null> }; spec?: { encryption: { key: number | null } } },
    ) => {
      if (of.plural === 'pods') pods.set(keyOf(object), { ...pods.get(keyOf(object)), ...object, ...patch } as unknown as Pod);
      else nodes.set(object.metadata.name, { annotations: patch.metadata?.annotations ?? {}, key: patch.spec?.encryption.key ?? null });
    },
  } as unknown as Kube;
  agents = createEncryptionAgents({
    kube,
    nodes: meshNodes,
    pods,
    before: new Map(),
    stopDelay: () => 5,
    startDelay: () => 5,
    encryptDelay: () => encryptMs,
    offGap: () => 50,
    name: () => `cilium-${(names += 1)}`,
    key: () => `key-${names}`,
    now: () => Date.now(),
    onChange: () => undefined,
    again,
    signal: end.signal,
    onError: (error) => {
      throw error;
    },
  });
  const one = agents;
  return {
    agents: one,
    config,
    nodes,
    pods,
    on: (node: string) => [...pods.values()].filter(({ spec }) => spec.nodeName === node),
    restart: (node: string): void => {
      for (const pod of pods.values()) {
        if (pod.spec.nodeName === node) pods.set(keyOf(pod), { ...pod, metadata: { ...pod.metadata, deletionTimestamp: 'now' } });
      }
      again();
    },
    until: async (holds: () => boolean) => {
      for (let tries = 0; !holds() && tries < 2_000; tries += 1) await new Promise((resolve) => setTimeout(resolve, 2));
      expect(holds()).toBe(true);
    },
    start: async () => one.reconcile(),
  };
}

test('an agent reads its settings when its pod is made, publishes its key, and encrypts later', async () => {
  const { agents, config, nodes, on: onNode, restart, until, start } = play();
  await start();
  await until(() => meshNodes.every(({ name }) => onNode(name).some(isReady)));
  config['enable-wireguard'] = 'true';
  expect(agents.of('node-1')).toEqual(plain);
  restart('node-1');
  await until(() => agents.of('node-1').publicKey !== undefined);
  expect(agents.of('node-1').encrypting).toBe(false);
  expect(agents.keyOf('node-1')).toBe(255);
  await until(() => agents.of('node-1').encrypting);
  expect(nodes.get('node-1')?.key).toBe(255);
  expect(agents.of('node-2')).toEqual(plain);
  expect(onNode('node-1')).toHaveLength(1);
});

test('a restart keeps the key, and what is off afterwards is taken back and lost for a while', async () => {
  const { agents, config, nodes, restart, until, start, on: onNode } = play({ encryptMs: 1 });
  config['enable-wireguard'] = 'true';
  await start();
  await until(() => agents.of('node-2').encrypting);
  const { publicKey } = agents.of('node-2');
  const [before] = onNode('node-2');
  restart('node-2');
  await until(() => onNode('node-2').some((pod) => pod.metadata.name !== before?.metadata.name && isReady(pod)));
  expect(agents.of('node-2')).toEqual({ publicKey, encrypting: true });
  delete config['enable-wireguard'];
  restart('node-2');
  await until(() => agents.of('node-2').publicKey === undefined);
  expect(agents.of('node-2').lostUntil).toBeGreaterThan(Date.now());
  expect(nodes.get('node-2')).toEqual({ annotations: { 'network.cilium.io/wg-pub-key': null }, key: null });
});

test('an agent that is stuck does not come up until it is let go', async () => {
  const { agents, until, start, on: onNode, restart } = play();
  await start();
  await until(() => onNode('node-3').some(isReady));
  agents.stick('node-3', true);
  restart('node-3');
  await until(() => onNode('node-3').some((pod) => pod.status?.phase === 'Pending'));
  agents.stick('node-3', false);
  await until(() => onNode('node-3').some(isReady));
});
