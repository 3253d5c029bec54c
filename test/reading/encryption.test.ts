import { expect, test } from 'vitest';
import { ClusterFailure } from '../../src/clients/kubernetes/failure.ts';
import { type KubeObject, pluralOf, type Resource } from '../../src/clients/kubernetes/objects.ts';
import { readEncryption } from '../../src/domain/encryption/reading.ts';
import { agentsOf, type Reads, readEncryptionFacts } from '../../src/reading/nodes/encryption.ts';

const signal = new AbortController().signal;
const at = (time: string): number => Date.parse(`2026-11-29T${time}Z`);
const meta = (name: string, more: object = {}) => ({ name, uid: name, resourceVersion: '1', ...more });

const configMap = {
  metadata: meta('cilium-config', {
    namespace: 'kube-system',
    annotations: { 'meta.helm.sh/release-name': 'cilium' },
    managedFields: [
      { manager: 'helm', time: '2026-11-01T00:00:00Z', fieldsV1: { 'f:data': { '.': {}, 'f:routing-mode': {} } } },
      { manager: 'kubectl-edit', time: '2026-11-29T11:45:00Z', fieldsV1: { 'f:data': { 'f:debug': {} } } },
      { manager: 'kubectl-patch', time: '2026-11-29T11:00:00Z', fieldsV1: { 'f:data': { 'f:enable-wireguard': {} } } },
    ],
  }),
  data: { 'routing-mode': 'native', 'enable-wireguard': 'true' },
};
const daemonSet = {
  metadata: meta('cilium'),
  spec: {
    template: {
      spec: {
        containers: [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.20.2' }],
        initContainers: [{ name: 'config', command: ['cilium-dbg', 'build-config', '--deny-config-keys=enable-ipsec, debug'] }],
        volumes: [{ name: 'tmp', emptyDir: {} }],
      },
    },
  },
};
const ready = [{ type: 'Ready', status: 'True' }];
function agent(node: string, startTime: string) {
  return {
    metadata: meta(`cilium-${node}`, { namespace: 'kube-system' }),
    spec: { nodeName: node, containers: [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.20.2' }] },
    status: {
      startTime,
      conditions: ready,
      containerStatuses: [{ name: 'cilium-agent', state: { running: { startedAt: '2026-11-29T11:59:50Z' } } }],
    },
  };
}
function ciliumNode(name: string, ip: string, more: object = {}, key = 0) {
  return {
    metadata: meta(name, more),
    spec: { addresses: [{ type: 'InternalIP', ip }], encryption: { key } },
  };
}
function endpoint(name: string, node: string, key?: number) {
  return {
    metadata: meta(name, { namespace: 'shop', creationTimestamp: '2026-11-28T00:00:00Z' }),
    status: { encryption: key === undefined ? {} : { key }, networking: { node } },
  };
}
const objects: Record<string, readonly object[]> = {
  ciliumnodes: [
    ciliumNode(
      'a',
      '10.0.0.1',
      {
        annotations: { 'network.cilium.io/wg-pub-key': 'ka' },
        managedFields: [
          {
            manager: 'cilium-agent',
            time: '2026-11-29T11:20:00Z',
            fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:network.cilium.io/wg-pub-key': {} } } },
          },
        ],
      },
      255,
    ),
    ciliumNode('b', '10.0.0.2'),
  ],
  ciliumnodeconfigs: [],
  pods: [agent('a', '2026-11-29T11:10:00Z'), agent('b', '2026-11-29T10:00:00Z')],
  nodes: ['a', 'b', 'c'].map((name) => ({
    metadata: meta(name, { labels: { 'topology.kubernetes.io/zone': 'z1' } }),
    status: { conditions: ready, nodeInfo: { kernelVersion: '6.1.0' } },
  })),
  ciliumendpoints: [endpoint('p1', '10.0.0.1', 255), endpoint('p2', '10.0.0.1', 255), endpoint('p3', '10.0.0.2')],
};

/** A cluster with these objects; kinds in `forbidden` may not be read. */
function holding({ forbidden = [], config = configMap }: { forbidden?: readonly string[]; config?: object | undefined } = {}): Reads {
  const guard = (kind: string): void => {
    if (forbidden.includes(kind)) throw new ClusterFailure('Forbidden', `may not list ${kind}`);
  };
  return {
    read: async (ref: Resource) => {
      guard(pluralOf(ref.kind));
      return (ref.kind === 'ConfigMap' ? config : daemonSet) as never;
    },
    list: async (resource: Resource) => {
      guard(pluralOf(resource.kind));
      return { items: (objects[pluralOf(resource.kind)] ?? []) as readonly KubeObject[] as never, resourceVersion: '1' };
    },
  };
}
const read = (cluster: Reads) => readEncryptionFacts(cluster, 'demo', at('12:00:00'), signal);

test('a cluster half way: who wrote what and when, which agent is older, which pods carry a key', async () => {
  const facts = await read(holding());
  expect(facts).toMatchObject({
    changedAt: at('11:00:00'),
    writers: { 'enable-wireguard': 'kubectl-patch' },
    helm: { release: 'cilium' },
    agents: { image: 'quay.io/cilium/cilium:v1.20.2', mountsKeys: false, readsOverrides: true, denied: ['enable-ipsec', 'debug'] },
    unread: [],
  });
  expect(facts.nodes.map(({ name, publicKey, endpoints, kernel }) => [name, publicKey, endpoints, kernel])).toEqual([
    ['a', 'ka', { 255: 2 }, '6.1.0'],
    ['b', undefined, { 0: 1 }, '6.1.0'],
    ['c', undefined, {}, '6.1.0'],
  ]);
  expect(facts.nodes[0]).toMatchObject({
    keySince: at('11:20:00'),
    agent: { startedAt: at('11:10:00'), runningSince: at('11:59:50'), ready: true },
  });
  const kinds = readEncryption(facts).nodes.map(({ disagreements }) => disagreements.map(({ kind }) => kind));
  expect(kinds).toEqual([['old-pods'], ['agent-older'], ['agent-down']]);
});

test('what may not be read is named, and the rest still said', async () => {
  const facts = await read(holding({ forbidden: ['nodes', 'pods', 'daemonsets', 'ciliumnodeconfigs', 'ciliumendpoints'] }));
  expect(facts.unread).toEqual(['CiliumEndpoints', 'CiliumNodeConfigs', 'Nodes', 'agents', 'the DaemonSet']);
  expect(readEncryption(facts).nodes.map(({ name, running }) => [name, running])).toEqual([
    ['a', 'wireguard'],
    ['b', 'off'],
  ]);
});

test('a cluster without cilium-config, or whose CiliumNodes may not be read, is a failure with a reason', async () => {
  await expect(read({ ...holding(), read: async () => undefined })).rejects.toThrow('There is no ConfigMap kube-system/cilium-config');
  await expect(read(holding({ forbidden: ['ciliumnodes'] }))).rejects.toThrow('may not list ciliumnodes');
});

test('what the DaemonSet says of keys and of settings by node', () => {
  const set = (init: object, volumes: readonly object[] = []) =>
    agentsOf({ spec: { template: { spec: { initContainers: [{ name: 'config', ...init }], volumes } } } as never });
  expect(set({ command: ['cilium-dbg', 'build-config', '--source=config-map:cilium-config'] }).readsOverrides).toBe(false);
  expect(set({ args: ['--source=config-map:cilium-config,cilium-node-config:kube-system'] }).readsOverrides).toBe(true);
  expect(agentsOf({ spec: { template: { spec: { initContainers: [{ name: 'mount-cgroup' }] } } } as never }).readsOverrides).toBe(false);
  expect(set({ args: ['--allow-config-keys=enable-wireguard'] }).allowed).toEqual(['enable-wireguard']);
  expect(set({}, [{ name: 'x', secret: { secretName: 'cilium-ipsec-keys' } }]).mountsKeys).toBe(true);
});
