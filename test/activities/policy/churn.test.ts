import { expect, it } from 'vitest';
import { type PlanDeps } from '../../../activities/policy/deps.ts';
import { planPolicy } from '../../../activities/policy/plan.ts';
import { digestOf, planHashOf } from '../../../activities/writes/digest.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { PlanInput } from '../../../src/domain/lifecycle/contract.ts';
import type { ObjectRef } from '../../../src/domain/lifecycle/plan.ts';
import { FULL, OP } from '../../domain/policy/stages/documents.ts';
import { request } from '../../support/operations.ts';

interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly ready: boolean;
}

const CONFIG = { 'enable-hubble': 'true', 'enable-l7-proxy': 'true', 'enable-policy': 'default' };

/** A cluster of these pods of one Deployment, in which everything is allowed and no policy is in force. */
function clusterOf(pods: readonly Pod[]) {
  const live = pods.map(({ name, uid, node, ready }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'frontend', uid, resourceVersion: '1', labels: { app: 'frontend' }, annotations: { note: uid } },
    spec: { nodeName: node, serviceAccountName: 'app', containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }));
  const labels = ['k8s:app=frontend', 'k8s:io.kubernetes.pod.namespace=frontend', 'k8s:io.cilium.k8s.policy.cluster=default'];
  const endpoints = live.map(({ metadata: { name } }) => ({ metadata: { name }, status: { identity: { labels } } }));
  const own: Record<string, object> = {
    ConfigMap: { data: CONFIG },
    Namespace: { metadata: { name: 'frontend', labels: {} } },
    Deployment: {
      metadata: { name: 'frontend', namespace: 'frontend', uid: 'd' },
      spec: { selector: { matchLabels: { app: 'frontend' } } },
    },
  };
  const items: Record<string, readonly object[]> = { Pod: live, CiliumEndpoint: endpoints };
  return {
    read: async ({ kind, name }: ObjectRef) => (kind === 'Pod' ? live.find(({ metadata }) => metadata.name === name) : own[kind]),
    list: async ({ kind }: { readonly kind: string }, _: object, { part = (one: object) => one }: { part?: (one: object) => object }) => ({
      items: (items[kind] ?? []).map(part),
      resourceVersion: '1',
    }),
    live: live as unknown as readonly KubeObject[],
    patch: async (ref: ObjectRef) => live.find(({ metadata }) => metadata.name === ref.name) ?? {},
    create: async (object: JsonObject) => object,
    mayI: async () => ({ allowed: true, reason: '' }),
  };
}

async function planned(pods: readonly Pod[]) {
  const cluster = clusterOf(pods);
  const deps = {
    cluster,
    flows: { check: async () => [{ node: 'node-1' }] },
    audit: { holds: async () => false, lastCompleted: async () => undefined },
    now: () => 1_000_000,
    log: {},
  } as unknown as PlanDeps;
  const candidate = { document: FULL, sha256: 'a'.repeat(64), source: 'a file' };
  const change = { kind: 'enforce', candidate } as const;
  const asked = { ...request({ change }), verb: 'policy', target: { cluster: 'demo', namespace: 'frontend', name: 'frontend' } };
  const result = await planPolicy(deps, { opId: OP, firstStage: 1, request: asked } as unknown as PlanInput, AbortSignal.timeout(20_000));
  if (result.kind !== 'plan') throw new Error(result.words);
  // What was approved before: every write as it is.
  return { hash: result.plan.planHash, writes: planHashOf(result.plan.stages), plan: result.plan, live: cluster.live };
}

it('what was before is known whole of every pod that is written', async () => {
  const { plan, live } = await planned(Array.from({ length: 4 }, (_, at) => ({ name: `a-${at}`, uid: `u-${at}`, node: 'n', ready: true })));
  const digests = new Map(live.map((pod) => [pod.metadata.uid, digestOf(pod)]));
  const pods = plan.originals.filter(({ object }) => object.kind === 'Pod');
  expect(pods.length).toBeGreaterThan(0);
  for (const { uid, digest } of pods) expect(digest).toBe(digests.get(uid));
});

/** Mulberry32, so that a failure can be seen again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

it('an approval holds over ordinary churn: a pod that is replaced, one more, one less, one that is not ready', {
  timeout: 120_000,
}, async () => {
  const random = randomFrom(7);
  const cases = Number(process.env['MESHOPS_CHURN'] ?? 10);
  const voided = { hash: [0, 0, 0, 0], writes: [0, 0, 0, 0] };
  for (let run = 0; run < cases; run += 1) {
    const fresh = (index: number, life = 0): Pod => ({
      name: `frontend-${Math.floor(random() * 1e9).toString(36)}`,
      uid: `uid-${run}-${index}-${life}`,
      node: `node-${Math.floor(random() * 6)}`,
      ready: true,
    });
    const pods = Array.from({ length: 4 + Math.floor(random() * 37) }, (_, index) => fresh(index));
    const at = Math.floor(random() * pods.length);
    const churned = [
      pods.map((pod, index) => (index === at ? fresh(index, 1) : pod)),
      [...pods, fresh(pods.length)],
      pods.filter((_, index) => index !== at),
      pods.map((pod, index) => (index === at ? { ...pod, ready: false } : pod)),
    ];
    const before = await planned(pods);
    for (const [kind, now] of churned.entries()) {
      const after = await planned(now);
      if (after.hash !== before.hash) voided.hash[kind] = (voided.hash[kind] ?? 0) + 1;
      if (after.writes !== before.writes) voided.writes[kind] = (voided.writes[kind] ?? 0) + 1;
    }
  }
  console.info(
    `Void of ${cases} after one restarted, one more, one less, one not ready: ${voided.hash.join(', ')}; by its writes: ${voided.writes.join(', ')}`,
  );
  expect(voided.hash).toEqual([0, 0, 0, 0]);
  expect(Math.min(...voided.writes)).toBeGreaterThan(0);
});
