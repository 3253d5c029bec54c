import { describe, expect, it } from 'vitest';
import { applyNodes } from '../../../activities/encryption/apply.ts';
import type { WriteDeps } from '../../../activities/writes/apply.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import { CILIUM_NODE_CONFIG, type KubeObject, POD, type Pod } from '../../../src/clients/kubernetes/objects.ts';
import type { ApplyInput } from '../../../src/domain/lifecycle/contract.ts';
import { TOKEN_ANNOTATION, type Write } from '../../../src/domain/lifecycle/plan.ts';
import { SILENT } from '../../../src/log.ts';
import { applyPatch } from '../../support/json-patch.ts';

const { signal } = new AbortController();
const OP = 'encryption-mine01';
const CONFIG = { ...CILIUM_NODE_CONFIG, namespace: 'kube-system', name: `zz-meshops-${OP}` };

interface World {
  config: KubeObject | undefined;
  pods: Pod[];
  readonly deleted: string[];
  /** Where agents were looked for. */
  readonly asked: (string | undefined)[];
  /** Agents of these nodes do not come back. */
  readonly stuck: Set<string>;
  budget: number | undefined;
  onDelete: (node: string) => void;
}

function agent(node: string, number: number, isReady = true): Pod {
  return {
    ...POD,
    metadata: {
      name: `${node}-${number}`,
      namespace: 'kube-system',
      uid: `${node}-${number}`,
      resourceVersion: '1',
      labels: { 'k8s-app': 'cilium' },
      ownerReferences: [{ uid: 'ds' }],
    },
    spec: { nodeName: node },
    status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
  } as unknown as Pod;
}

function world(nodes: readonly string[]) {
  const state: World = {
    config: {
      ...CONFIG,
      metadata: {
        name: CONFIG.name,
        namespace: 'kube-system',
        uid: 'config',
        resourceVersion: '1',
        annotations: { [TOKEN_ANNOTATION]: `${OP}/0` },
      },
      spec: { nodes: 'none' },
    } as KubeObject,
    pods: nodes.map((node) => agent(node, 1)),
    deleted: [],
    asked: [],
    stuck: new Set(),
    budget: undefined,
    onDelete: () => undefined,
  };
  let clock = 0;
  const find = (name: string): Pod | undefined => state.pods.find(({ metadata }) => metadata.name === name);
  const cluster = {
    read: async ({ kind, name }: { kind: string; name: string }) => (kind === 'Pod' ? find(name) : state.config),
    list: async ({ kind }: { kind: string }, { fieldSelector }: { fieldSelector?: string }) => {
      clock += 1_000;
      if (kind === 'Pod') state.asked.push(fieldSelector);
      if (kind === 'Pod') return { items: state.pods.map((pod) => ({ ...pod, kind, apiVersion: 'v1' })), resourceVersion: '1' };
      const spec = { selector: { matchLabels: { 'k8s-app': 'cilium' } } };
      const items =
        state.budget === undefined ? [] : [{ metadata: { name: 'agents' }, spec, status: { disruptionsAllowed: state.budget } }];
      return { items, resourceVersion: '1' };
    },
    remove: async ({ name }: { name: string }) => {
      const pod = find(name);
      const node = pod?.spec.nodeName ?? '';
      state.deleted.push(node);
      state.onDelete(node);
      state.pods = [...state.pods.filter((one) => one !== pod), agent(node, 2, !state.stuck.has(node))];
    },
    patch: async ({ kind, name }: { kind: string; name: string }, patch: never) => {
      if (kind !== 'Pod') return (state.config = applyPatch(state.config as never, patch) as KubeObject);
      const marked = applyPatch(find(name) as never, patch) as Pod;
      state.pods = state.pods.map((pod) => (pod.metadata.name === name ? marked : pod));
      return marked;
    },
  } as unknown as Cluster;
  const deps: WriteDeps = { cluster, audit: { holds: async () => false }, now: () => (clock += 10), log: SILENT };
  return { state, deps };
}

function stage(...batches: readonly (readonly string[])[]): ApplyInput {
  const told: Write = { object: CONFIG, uid: '', generation: 0, before: { '/spec/nodes': 'none' }, after: { '/spec/nodes': 'some' } };
  const replaced = batches.flatMap((nodes, batch) =>
    nodes.map(
      (node): Write => ({
        object: { ...POD, namespace: 'kube-system', name: `${node}-1` },
        kind: 'replace',
        uid: `${node}-1`,
        generation: 0,
        before: {},
        after: {},
        successor: { ownerUid: 'ds', nodeName: node, batch, withinMs: 3_000 },
      }),
    ),
  );
  return {
    opId: OP,
    target: { cluster: 'demo', namespace: '*', name: '*' },
    stage: { number: 1, label: 'nodes', exposure: 1, writes: [told, ...replaced] },
    tokenBefore: { [`CiliumNodeConfig/kube-system/${CONFIG.name}`]: `${OP}/0` },
    as: undefined,
  };
}

describe('a stage of nodes', () => {
  it('tells the nodes first, then replaces one agent after the other', async () => {
    const { state, deps } = world(['node-1', 'node-2', 'node-3']);
    const away: number[] = [];
    state.onDelete = () => {
      expect(state.config?.spec).toEqual({ nodes: 'some' });
      away.push(state.pods.filter(({ status }) => status?.conditions?.[0]?.status !== 'True').length);
    };
    expect(await applyNodes(deps, stage(['node-1'], ['node-2']), signal)).toMatchObject({ kind: 'applied' });
    expect(state.deleted).toEqual(['node-1', 'node-2']);
    expect(away).toEqual([0, 0]);
  });

  it('looks for an agent on its own node: all of them are many megabytes in a large cluster', async () => {
    const { state, deps } = world(['node-1', 'node-2', 'node-3']);
    await applyNodes(deps, stage(['node-1'], ['node-2']), signal);
    const [all, one] = [state.asked.filter((field) => field === undefined), state.asked.filter((field) => field !== undefined)];
    // Whether none is away, before each of them.
    expect(all).toHaveLength(2);
    expect(new Set(one)).toEqual(new Set(['spec.nodeName=node-1', 'spec.nodeName=node-2']));
  });

  it('is written once, however often it is tried', async () => {
    const { state, deps } = world(['node-1', 'node-2']);
    for (let attempt = 0; attempt < 3; attempt += 1) await applyNodes(deps, stage(['node-1'], ['node-2']), signal);
    expect(state.deleted).toEqual(['node-1', 'node-2']);
  });

  it('stops where an agent does not come back', async () => {
    const { state, deps } = world(['node-1', 'node-2', 'node-3']);
    state.stuck.add('node-1');
    expect(await applyNodes(deps, stage(['node-1'], ['node-2'], ['node-3']), signal)).toMatchObject({ kind: 'applied' });
    expect(state.deleted).toEqual(['node-1']);
  });

  it('waits while another agent is away, and replaces nobody beside it', async () => {
    const { state, deps } = world(['node-1']);
    state.pods.push(agent('node-9', 1, false));
    await applyNodes(deps, stage(['node-1']), signal);
    expect(state.deleted).toEqual([]);
  });

  it('heeds a PodDisruptionBudget of the agents', async () => {
    const { state, deps } = world(['node-1']);
    state.budget = 0;
    await applyNodes(deps, stage(['node-1']), signal);
    expect(state.deleted).toEqual([]);
    state.budget = 1;
    await applyNodes(deps, stage(['node-1']), signal);
    expect(state.deleted).toEqual(['node-1']);
  });

  it('replaces nobody once an undo has taken away what told the nodes', async () => {
    const { state, deps } = world(['node-1', 'node-2']);
    state.onDelete = () => {
      state.config = undefined;
    };
    expect(await applyNodes(deps, stage(['node-1'], ['node-2']), signal)).toMatchObject({ kind: 'held' });
    expect(state.deleted).toEqual(['node-1']);
  });

  it('says whom the cluster refuses it to', async () => {
    const { deps } = world(['node-1']);
    Object.assign(deps.cluster, { remove: () => Promise.reject(new ClusterFailure('Forbidden', 'pods is forbidden')) });
    expect(await applyNodes(deps, stage(['node-1']), signal)).toEqual({ kind: 'forbidden', words: 'pods is forbidden' });
  });
});
