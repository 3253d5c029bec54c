import { describe, expect, it } from 'vitest';
import { applyAlone } from '../../../activities/policy/claim.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { KubeObject, Resource } from '../../../src/clients/kubernetes/objects.ts';
import { type PlannedStage, TOKEN_ANNOTATION, type Write } from '../../../src/domain/lifecycle/plan.ts';
import { inertRule } from '../../../src/domain/policy/stages/rule-document.ts';
import { SILENT } from '../../../src/log.ts';
import { FULL, OP, podsOf, stagesOf } from '../../domain/policy/stages/documents.ts';

const OTHER = 'policy-other';
const { stages, policy } = stagesOf({ observed: [], pods: podsOf(1), shares: [] });
const details = { change: 'enforce', opId: OP, policy: { ...policy }, directions: ['ingress'], windowMs: 0, candidate: FULL, accepted: [] };
const writes = (stages[0]?.writes ?? []).filter(({ kind }) => kind === 'create');
const claim: PlannedStage = { number: 0, label: 'claim', exposure: 0, soakMs: 0, writes };

const pod = {
  metadata: { name: 'frontend-1', namespace: 'frontend', uid: 'u1', labels: { app: 'frontend' } },
  spec: { nodeName: 'node-1' },
};
/** As another operation has claimed it a moment ago: it selects nobody yet. */
const theirs = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name: 'baseline', namespace: 'frontend', uid: 'b', annotations: { [TOKEN_ANNOTATION]: `${OTHER}/0` } },
  specs: [inertRule(OTHER)],
} as unknown as KubeObject;
function plannedByThem(app: string): Write {
  return {
    object: { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', namespace: 'frontend', name: 'baseline' },
    uid: 'b',
    generation: 0,
    before: {},
    after: { '/spec': { endpointSelector: { matchLabels: { app } }, ingress: [{}] }, '/specs': null },
  };
}

/** The claim of a rollout of `frontend`, where `baseline` belongs to `OTHER`. */
async function claimed({ theyPlan, running = true, forward = true }: { theyPlan: string; running?: boolean; forward?: boolean }) {
  const policies = [theirs];
  const cluster = {
    read: async ({ name }: { name: string }) => policies.find(({ metadata }) => metadata.name === name),
    create: async (manifest: KubeObject) => {
      const made = { ...manifest, metadata: { ...manifest.metadata, uid: 'made', generation: 1 } };
      policies.push(made);
      return made;
    },
    list: async ({ kind }: Resource) => ({ items: kind === 'Pod' ? [pod] : kind === 'CiliumNetworkPolicy' ? policies : [] }),
  } as unknown as Cluster;
  const audit = { holds: async (opId: string) => running && opId === OTHER, planned: async () => [plannedByThem(theyPlan)] };
  const target = { cluster: 'demo', namespace: 'frontend', name: 'frontend' };
  const input = { opId: OP, target, stage: claim, tokenBefore: {}, as: undefined, ...(forward && { details }) };
  return applyAlone({ cluster, audit, now: Date.now, log: SILENT }, input, AbortSignal.timeout(5_000));
}

describe('a claim', () => {
  it('is refused where another operation, planned at the same moment, has claimed the same pods', async () => {
    expect(await claimed({ theyPlan: 'frontend' })).toMatchObject({ kind: 'held', object: { name: 'baseline' }, token: OTHER });
  });

  it('stands beside one of other pods, one that is over, and where it only takes something back', async () => {
    expect(await claimed({ theyPlan: 'cart' })).toMatchObject({ kind: 'applied' });
    expect(await claimed({ theyPlan: 'frontend', running: false })).toMatchObject({ kind: 'applied' });
    expect(await claimed({ theyPlan: 'frontend', forward: false })).toMatchObject({ kind: 'applied' });
  });
});
