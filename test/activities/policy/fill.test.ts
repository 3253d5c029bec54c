import { describe, expect, it } from 'vitest';
import { fillStage } from '../../../activities/policy/fill.ts';
import { digestOf } from '../../../activities/writes/digest.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { KubeObject, Resource } from '../../../src/clients/kubernetes/objects.ts';
import type { ObjectRef, Plan } from '../../../src/domain/lifecycle/plan.ts';
import { COHORT_LABEL } from '../../../src/domain/policy/stages/rule-document.ts';
import { COHORT_POINTER } from '../../../src/domain/policy/stages/stages.ts';
import { FULL, OP, podsOf, stagesOf } from '../../domain/policy/stages/documents.ts';

const all = podsOf(8);
const { stages, policy } = stagesOf({ observed: [], pods: all, shares: [50] });
const [one, half] = stages;
const details = { change: 'enforce', opId: OP, policy, directions: ['ingress'], windowMs: 0, candidate: FULL, accepted: [] };
const plan = { stages, originals: [], details } as unknown as Plan;
const labelsIn = (stage: typeof one) => (stage?.writes ?? []).flatMap(({ object, uid }) => (object.kind === 'Pod' ? [uid] : []));

interface Parted {
  readonly part?: (object: object) => unknown;
}

/** The pods as they are now; `asked` names what was listed without a selector. */
interface Given {
  readonly name: string;
  readonly uid: string;
  readonly labels?: Record<string, string>;
  readonly maker?: { readonly kind: string; readonly name: string };
}

function clusterOf(pods: readonly Given[]) {
  const asked: string[] = [];
  const objects = pods.map(({ name, uid, labels, maker }) => ({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace: 'frontend',
      uid,
      resourceVersion: '1',
      labels: { app: 'frontend', ...labels },
      annotations: { note: uid },
      ...(maker && { ownerReferences: [{ apiVersion: 'apps/v1', ...maker, controller: true }] }),
    },
    spec: { nodeName: 'node-1', serviceAccountName: 'app' },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  }));
  const endpoints = objects.map(({ metadata: { name, labels } }) => ({
    metadata: { name },
    status: { identity: { labels: [`k8s:app=${labels.app}`, 'k8s:io.kubernetes.pod.namespace=frontend'] } },
  }));
  const cluster = {
    read: async ({ kind, name }: ObjectRef) =>
      kind === 'ConfigMap'
        ? { data: {} }
        : [...(kind === 'Pod' ? objects : kind === 'CiliumEndpoint' ? endpoints : [])].find(({ metadata }) => metadata.name === name),
    list: async ({ kind }: Resource, { labelSelector }: { readonly labelSelector?: string }, { part = (one) => one }: Parted) => {
      if (labelSelector === undefined) asked.push(kind);
      const items = kind === 'Pod' ? objects : kind === 'CiliumEndpoint' ? endpoints : [];
      const [key = '', value] = (labelSelector ?? '').split('=');
      const isAsked = ({ metadata }: (typeof objects)[number]) => (metadata.labels as Record<string, string>)[key] === value;
      return { items: (labelSelector === undefined ? items : objects.filter(isAsked)).map(part), resourceVersion: '1' };
    },
  } as unknown as Cluster;
  return { cluster, asked, objects };
}

async function filled(stage: typeof one, pods: Parameters<typeof clusterOf>[0]) {
  if (!stage) throw new Error('no such stage');
  const { cluster, asked, objects } = clusterOf(pods);
  const input = { opId: OP, plan, stage, planned: stage.number, written: [] };
  const { stage: made, originals } = await fillStage(cluster, input, AbortSignal.timeout(60_000));
  return { uids: labelsIn(made), asked, originals, objects };
}

describe('the pods of a stage, as it is written', () => {
  it('are written in the order in which they go first, also one that came back in the place of another', async () => {
    if (!half) throw new Error('no second stage');
    // All pods of a StatefulSet: the plan had 7 first, then 6, 5 and 4; 7 came back under its name since.
    const now = Array.from({ length: 8 }, (_, at) => ({
      name: `db-${at}`,
      uid: at === 7 ? 'again' : `uid-${at}`,
      maker: { kind: 'StatefulSet', name: 'db' },
    }));
    const writes = [6, 5, 4].map((at) => ({
      object: { apiVersion: 'v1', kind: 'Pod', namespace: 'frontend', name: `db-${at}` },
      uid: `uid-${at}`,
      generation: 0,
      before: { [COHORT_POINTER]: null },
      after: { [COHORT_POINTER]: OP },
    }));
    const first = { ...writes[0], object: { apiVersion: 'v1', kind: 'Pod', namespace: 'frontend', name: 'db-7' }, uid: 'uid-7' };
    const stages = [
      { ...one, writes: [first] },
      { ...half, writes },
    ] as never;
    const { cluster } = clusterOf(now);
    const input = { opId: OP, plan: { ...plan, stages }, stage: { ...half, writes }, planned: half.number, written: [] };
    const { stage } = await fillStage(cluster, input, AbortSignal.timeout(60_000));
    expect(labelsIn(stage)).toEqual(['again', 'uid-6', 'uid-5', 'uid-4']);
  });

  it('has what was there before of a pod that came back under its name, although that name was written already', async () => {
    const [write] = (one?.writes ?? []).filter(({ object }) => object.kind === 'Pod');
    if (!one || !write) throw new Error('no pod goes first');
    const others = all.filter(({ uid }) => uid !== write.uid);
    // Nobody else may go: the others carry labels of other operations.
    const now = [
      ...others.map(({ name, uid }) => ({ name, uid, labels: { [COHORT_LABEL]: 'x' } })),
      { name: write.object.name, uid: 'again' },
    ];
    const { cluster } = clusterOf(now);
    const before = { object: write.object, uid: write.uid, fields: write.before, token: null, digest: 'old' };
    const input = { opId: OP, plan: { ...plan, originals: [before] }, stage: one, planned: 1, written: [{ stage: 1, writes: [write] }] };
    const filled = await fillStage(cluster, input, AbortSignal.timeout(60_000));
    expect(labelsIn(filled.stage)).toEqual(['again']);
    expect(filled.originals).toMatchObject([{ uid: 'again', object: write.object }]);
  });

  it('are those of the plan where they are still there; nobody else is looked at', async () => {
    const { uids, asked } = await filled(one, all);
    expect(uids).toEqual(labelsIn(one));
    expect(asked).not.toContain('Pod');
  });

  it.each([
    ['was replaced', (name: string) => ({ name: `${name}-new`, uid: 'new' })],
    ['came back under its name', (name: string) => ({ name, uid: 'new' })],
    ['was given other labels', (name: string, uid: string) => ({ name, uid, labels: { app: 'other' } })],
  ])('are made up for where one %s: as many go first as people approved', async (_, change) => {
    const gone = labelsIn(one)[0];
    const now = all.map(({ name, uid }) => (uid === gone ? change(name, uid) : { name, uid }));
    const { uids, originals, objects } = await filled(one, now);
    expect(uids).toHaveLength(1);
    // Its undo is measured by the whole pod, whatever is kept of each where all are looked at.
    const chosen = objects.find(({ metadata }) => metadata.uid === uids[0]);
    expect(originals).toMatchObject([{ uid: uids[0], digest: digestOf(chosen as unknown as KubeObject) }]);
    if (now.find(({ uid }) => uid === gone)) expect(uids).not.toContain(gone);
  });

  it('of a later stage join those that carry the label', async () => {
    const first = labelsIn(one)[0];
    const now = all.map(({ name, uid }) => ({ name, uid, ...(uid === first && { labels: { [COHORT_LABEL]: OP } }) }));
    const { uids, asked } = await filled(half, now);
    expect(uids.toSorted()).toEqual([...labelsIn(half)].toSorted());
    expect(asked).not.toContain('Pod');
    // Its label is gone with it: one more joins.
    expect(
      (
        await filled(
          half,
          all.filter(({ uid }) => uid !== first),
        )
      ).uids,
    ).toHaveLength(4);
  });
});
