import { describe, expect, it } from 'vitest';
import { applyStage, type WriteDeps } from '../../../activities/writes/apply.ts';
import { restore } from '../../../activities/writes/restore.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { POD, type Pod } from '../../../src/clients/kubernetes/objects.ts';
import type { RestoreInput } from '../../../src/domain/lifecycle/contract.ts';
import { TOKEN_ANNOTATION, type Write } from '../../../src/domain/lifecycle/plan.ts';
import { SILENT } from '../../../src/log.ts';
import { applyPatch } from '../../support/json-patch.ts';

const { signal } = new AbortController();
const OP = 'canary-mine01';
const write: Write = {
  object: { ...POD, namespace: 'kube-system', name: 'agent-1' },
  kind: 'replace',
  uid: 'uid-1',
  generation: 0,
  before: {},
  after: {},
  successor: { ownerUid: 'ds', nodeName: 'node-1' },
};
const stage = { number: 1, label: 'node-1', exposure: 0.5, writes: [write] };
const asked = { opId: OP, target: { cluster: 'demo', namespace: '*', name: '*' }, stage, tokenBefore: {}, as: undefined };

/** A node whose owner brings up a new pod at once; ready from the second look on. */
function node(name = 'node-1') {
  let made = 1;
  let looks = 0;
  const podOf = (number: number): Pod =>
    ({
      ...POD,
      metadata: {
        name: `agent-${number}`,
        namespace: 'kube-system',
        uid: `uid-${number}`,
        resourceVersion: '1',
        ownerReferences: [{ uid: 'ds' }],
      },
      spec: { nodeName: name },
    }) as unknown as Pod;
  const state = { pod: podOf(1), deleted: [] as string[] };
  const stranger = { ...podOf(9), spec: { nodeName: 'node-2' } };
  const cluster = {
    read: async ({ name: wanted }: { name: string }) => (wanted === state.pod.metadata.name ? state.pod : undefined),
    list: async () => ({
      items: [stranger, { ...state.pod, status: { conditions: [{ type: 'Ready', status: (looks += 1) % 2 === 0 ? 'True' : 'False' }] } }],
      resourceVersion: '1',
    }),
    remove: async (_ref: unknown, { uid }: { uid: string }) => {
      state.deleted.push(uid);
      state.pod = podOf((made += 1));
    },
    patch: async (_ref: unknown, patch: never) => (state.pod = applyPatch(state.pod, patch) as Pod),
  } as unknown as Cluster;
  const deps: WriteDeps = { cluster, audit: { holds: async () => false }, now: Date.now, log: SILENT };
  return { state, deps };
}

const undo: RestoreInput = {
  opId: OP,
  originals: [{ object: write.object, uid: 'uid-1', fields: {}, token: null, digest: '' }],
  written: [{ stage: 1, writes: [write] }],
  holder: 'operation',
};

describe('a write that replaces a pod', () => {
  it('deletes exactly that one, waits for the next on the same node, and marks it', async () => {
    const { state, deps } = node();
    expect(await applyStage(deps, asked, signal)).toMatchObject({ kind: 'applied' });
    expect(state.deleted).toEqual(['uid-1']);
    expect(state.pod.metadata).toMatchObject({ uid: 'uid-2', annotations: { [TOKEN_ANNOTATION]: `${OP}/1` } });
  });

  it('is done once, however often it is tried', async () => {
    const { state, deps } = node();
    for (let attempt = 0; attempt < 3; attempt += 1) await applyStage(deps, asked, signal);
    expect(state.deleted).toEqual(['uid-1']);
  });

  it('is undone by replacing what it brought up, with the way there shown', async () => {
    const { state, deps } = node();
    await applyStage(deps, asked, signal);
    const told: string[] = [];
    const result = await restore(deps, undo, { signal, progress: (done, of) => void told.push(`${done}/${of}`) });
    expect(result).toMatchObject({ kind: 'restored', exact: true });
    expect(state.deleted).toEqual(['uid-1', 'uid-2']);
    expect(state.pod.metadata.annotations).toEqual({ [TOKEN_ANNOTATION]: `${OP}/0` });
    expect(told).toEqual(['0/1', '1/1']);
  });

  it('is undone once: what a fuse has replaced back, the undo after it leaves', async () => {
    const { state, deps } = node();
    await applyStage(deps, asked, signal);
    await restore(deps, { ...undo, originals: [], holder: { stage: 1 } }, { signal });
    await restore(deps, { ...undo, originals: [] }, { signal });
    expect(state.deleted).toEqual(['uid-1', 'uid-2']);
  });

  it('leaves a pod that was never replaced, and one that another operation brought up', async () => {
    const { state, deps } = node();
    await restore(deps, undo, { signal });
    expect(state.deleted).toEqual([]);
    await applyStage(deps, { ...asked, opId: 'canary-other1' }, signal);
    await restore(deps, undo, { signal });
    expect(state.deleted).toEqual(['uid-1']);
  });
});

/** Three nodes whose owner brings up a ready pod at once, but for those that are away. */
function cluster(away: readonly string[] = [], batchOf: (index: number) => number = (index) => index) {
  const nodes = ['node-1', 'node-2', 'node-3'];
  const podOf = (nodeName: string, made: number, ready: boolean): Pod =>
    ({
      ...POD,
      metadata: {
        name: `${nodeName}-${made}`,
        namespace: 'kube-system',
        uid: `${nodeName}-${made}`,
        resourceVersion: '1',
        ownerReferences: [{ uid: 'ds' }],
        annotations: { [TOKEN_ANNOTATION]: `${OP}/1` },
      },
      spec: { nodeName },
      status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    }) as unknown as Pod;
  const pods = new Map(nodes.map((name) => [name, podOf(name, 1, !away.includes(name))]));
  const gone: string[] = [];
  const told: string[] = [];
  const fake = {
    read: async () => undefined,
    list: async () => ({ items: [...pods.values()], resourceVersion: '1' }),
    remove: async (_ref: unknown, { uid }: { uid: string }) => {
      const [nodeName] = [...pods].find(([, pod]) => pod.metadata.uid === uid) ?? [''];
      gone.push(nodeName);
      pods.set(nodeName, podOf(nodeName, 2, true));
      told.push(`${nodeName} gone`);
    },
    patch: async ({ name }: { name: string }) => void told.push(`${name.slice(0, 6)} back`),
  } as unknown as Cluster;
  const deps: WriteDeps = { cluster: fake, audit: { holds: async () => false }, now: Date.now, log: SILENT };
  const writes = nodes.map(
    (nodeName, index): Write => ({
      ...write,
      object: { ...POD, namespace: 'kube-system', name: `${nodeName}-0` },
      uid: `${nodeName}-0`,
      successor: { ownerUid: 'ds', nodeName, batch: batchOf(index) },
    }),
  );
  return { deps, gone, told, undo: { ...undo, originals: [], written: [{ stage: 1, writes }] } };
}

describe('the undo of several nodes', () => {
  it('begins where the most is harmed', async () => {
    const { deps, gone, undo: input } = cluster();
    await restore(deps, { ...input, harmed: ['node-3', 'node-2'] }, { signal });
    expect(gone).toEqual(['node-3', 'node-2', 'node-1']);
  });

  it('begins with who is away all the same: never are two', async () => {
    const { deps, gone, undo: input } = cluster(['node-2']);
    await restore(deps, { ...input, harmed: ['node-3', 'node-1'] }, { signal });
    expect(gone).toEqual(['node-2', 'node-3', 'node-1']);
  });

  it('goes one after the other, but for what was replaced together', async () => {
    const apart = cluster();
    await restore(apart.deps, apart.undo, { signal });
    expect(apart.told).toEqual(['node-1 gone', 'node-1 back', 'node-2 gone', 'node-2 back', 'node-3 gone', 'node-3 back']);
    const together = cluster([], () => 0);
    await restore(together.deps, together.undo, { signal });
    expect(together.told.slice(0, 3)).toEqual(['node-1 gone', 'node-2 gone', 'node-3 gone']);
    expect(together.told.slice(3).toSorted()).toEqual(['node-1 back', 'node-2 back', 'node-3 back']);
  });
});
