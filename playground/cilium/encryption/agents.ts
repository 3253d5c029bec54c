/**
 * Plays the agents of all nodes as far as encryption goes: a pod that is deleted is replaced, reads its settings when it is made, publishes
 * its key, and encrypts some seconds later. What runs goes on running while an agent is away.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Kube } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import type { KubeObject, Pod } from '../kube/types.ts';
import { isReady, keyOf } from '../kube/types.ts';
import type { MeshNode } from '../nodes.ts';
import { agentNamespace, agentPod, ensureAgentSet } from './agent-set.ts';
import type { NodeEncryption, Passage } from './passage.ts';
import { passage, plain } from './passage.ts';
import type { NodeConfig } from './settings.ts';
import { settingsFor } from './settings.ts';

export interface EncryptionChange {
  readonly at: number;
  readonly node: string;
  readonly state: NodeEncryption;
}

export interface EncryptionAgents {
  reconcile(): Promise<void>;
  /** What a node does now. */
  of(node: string): NodeEncryption;
  /** What becomes of a packet from one node to another now. */
  passage(from: string, to: string): Passage;
  /** The key of a node's endpoints: 255 with WireGuard, 0 without. */
  keyOf(node: string): number;
  /** Every change of what nodes publish and do, oldest first. */
  readonly changes: readonly EncryptionChange[];
  /** `on`: the next agent of this node does not come up. */
  stick(node: string, on: boolean): void;
  /** `on`: between nodes that encrypt, packets as large as before no longer fit, and what would tell the sender is dropped on the way. */
  blackHole(on: boolean): void;
  /** Does a large packet from one node to another vanish now? */
  swallows(from: string, to: string): boolean;
  /** The node's key is gone from its CiliumNode, as if somebody had taken it off. */
  loseKey(node: string): Promise<void>;
}

export interface EncryptionAgentsOptions {
  readonly kube: Kube;
  readonly nodes: readonly MeshNode[];
  readonly pods: ReadonlyMap<string, Pod>;
  /** What there is from an earlier run. */
  readonly before: ReadonlyMap<string, NodeEncryption>;
  readonly stopDelay: () => number;
  readonly startDelay: () => number;
  readonly encryptDelay: () => number;
  readonly offGap: () => number;
  readonly name: () => string;
  readonly key: () => string;
  readonly now: () => number;
  /** Something that others publish has changed. */
  readonly onChange: () => void;
  readonly again: () => void;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

const annotation = 'network.cilium.io/wg-pub-key';

export function createEncryptionAgents(options: EncryptionAgentsOptions): EncryptionAgents {
  const { kube, nodes, pods, signal } = options;
  const states = new Map(options.before);
  const changes: EncryptionChange[] = [];
  const keys = new Map(
    [...options.before].flatMap(([node, { publicKey }]) => (publicKey === undefined ? [] : [[node, publicKey] as const])),
  );
  const stuck = new Set<string>();
  const busy = new Set<string>();
  let tunnel = false;
  let hole = false;
  let set: KubeObject | undefined;

  const enter = (node: string, state: NodeEncryption): void => {
    states.set(node, state);
    changes.push({ at: options.now(), node, state });
    options.onChange();
  };
  const of = (node: string): NodeEncryption => states.get(node) ?? plain;

  const publish = (node: string, key: string | undefined): Promise<void> =>
    kube.merge(
      resources.ciliumNodes,
      { metadata: { name: node } },
      { metadata: { annotations: { [annotation]: key ?? null } }, spec: { encryption: { key: key === undefined ? null : 255 } } },
    );

  const report = (pod: Pod, ready: boolean): Promise<void> => {
    const at = new Date(options.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const condition = (type: string, on: boolean): object => ({ type, status: on ? 'True' : 'False', lastTransitionTime: at });
    const conditions = [
      condition('PodScheduled', true),
      condition('Initialized', true),
      condition('ContainersReady', ready),
      condition('Ready', ready),
    ];
    const waiting = { waiting: { reason: 'ImagePullBackOff', message: 'back-off pulling image' } };
    const state = ready ? { running: { startedAt: at } } : waiting;
    const containerStatuses = pod.spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: image,
      ready,
      restartCount: 0,
      state,
    }));
    const status = { phase: ready ? 'Running' : 'Pending', startTime: pod.metadata.creationTimestamp ?? at, conditions, containerStatuses };
    return kube.merge(resources.pods, pod, { status }, 'status');
  };

  const settingsOf = async (node: string): Promise<Readonly<Record<string, string>>> => {
    const [config, overrides, object] = await Promise.all([
      kube.get<KubeObject & { readonly data?: Record<string, string> }>(resources.configMaps, agentNamespace, 'cilium-config'),
      kube.list<NodeConfig>(resources.ciliumNodeConfigs),
      kube.get(resources.nodes, undefined, node),
    ]);
    const own = overrides.items.filter(({ metadata }) => metadata.namespace === agentNamespace);
    return settingsFor(config.data ?? {}, own, object.metadata.labels ?? {});
  };

  const start = async (pod: Pod, node: string): Promise<void> => {
    // The settings are those of the moment at which the pod was made; what is written later is not read.
    const settings = await settingsOf(node);
    await wait(options.startDelay(), undefined, { signal });
    if (stuck.has(node)) return report(pod, false);
    tunnel = settings['routing-mode'] !== 'native';
    const on = settings['enable-wireguard'] === 'true';
    const before = of(node);
    if (on) {
      const publicKey = keys.get(node) ?? options.key();
      keys.set(node, publicKey);
      await publish(node, publicKey);
      enter(node, { publicKey, encrypting: before.encrypting });
    } else if (before.publicKey !== undefined || before.encrypting) {
      await publish(node, undefined);
      const gap = options.offGap();
      enter(node, { encrypting: false, lostUntil: options.now() + gap });
      wait(gap + 1, undefined, { signal }).then(options.onChange, () => undefined);
    }
    await report(pod, true);
    if (on && !before.encrypting) encryptLater(node);
  };

  /** The programs are loaded long after the agent is ready, whatever becomes of it meanwhile. */
  const encryptLater = (node: string): void => {
    const since = of(node);
    wait(options.encryptDelay(), undefined, { signal })
      .then(() => {
        if (of(node) === since) enter(node, { ...since, encrypting: true });
      })
      .catch(() => undefined);
  };

  const work = (key: string, task: () => Promise<void>): void => {
    if (busy.has(key)) return;
    busy.add(key);
    task()
      .catch((error: unknown) => void (signal.aborted || options.onError(error)))
      .finally(() => {
        busy.delete(key);
        if (!signal.aborted) options.again();
      });
  };

  const stop = async (pod: Pod): Promise<void> => {
    await wait(options.stopDelay(), undefined, { signal });
    await kube.remove(resources.pods, pod);
  };

  const tend = (node: string): void => {
    const own = [...pods.values()].filter(({ spec }) => spec.nodeName === node);
    for (const pod of own) {
      if (pod.metadata.deletionTimestamp !== undefined) work(`stop ${keyOf(pod)}`, () => stop(pod));
      else if (!isReady(pod) && !(stuck.has(node) && pod.status?.conditions?.some(({ type }) => type === 'Ready')))
        work(`start ${node}`, () => start(pod, node));
    }
    if (own.length === 0)
      work(`make ${node}`, async () => {
        set ??= await ensureAgentSet(kube);
        const made = await kube.create(resources.pods, agentPod(set, node, options.name()));
        // Else a second one would be made before the watch has shown the first.
        for (let tries = 0; !pods.has(keyOf(made)) && tries < 100; tries += 1) await wait(20, undefined, { signal });
      });
  };

  const passageOf = (from: string, to: string): Passage => passage(of(from), of(to), { tunnel, now: options.now() });

  return {
    of,
    passage: passageOf,
    blackHole: (on) => {
      hole = on;
    },
    swallows: (from, to) => hole && passageOf(from, to) === 'encrypted',
    keyOf: (node) => (of(node).publicKey === undefined ? 0 : 255),
    changes,
    reconcile: async () => {
      for (const { name } of nodes) tend(name);
    },
    stick: (node, on) => {
      if (on) stuck.add(node);
      else stuck.delete(node);
      options.again();
    },
    loseKey: async (node) => {
      const { encrypting } = of(node);
      await publish(node, undefined);
      enter(node, { encrypting });
    },
  };
}

/** What an earlier run has left in the cluster goes on: its keys are published, and what encrypts encrypts. */
export async function adoptedStates(kube: Kube): Promise<ReadonlyMap<string, NodeEncryption>> {
  const { items } = await kube.list(resources.ciliumNodes);
  return new Map(
    items.flatMap(({ metadata }) => {
      const publicKey = metadata.annotations?.[annotation];
      return publicKey === undefined ? [] : [[metadata.name, { publicKey, encrypting: true }] as const];
    }),
  );
}
