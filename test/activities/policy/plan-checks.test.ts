import { describe, expect, it } from 'vitest';
import { checkNeeds } from '../../../activities/policy/checks.ts';
import { checkOverlap } from '../../../activities/policy/overlap.ts';
import { checkReplaced } from '../../../activities/policy/replaced.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { type CiliumPolicy, type Pod, refOf } from '../../../src/clients/kubernetes/objects.ts';
import { type Fields, TOKEN_ANNOTATION, type Write } from '../../../src/domain/lifecycle/plan.ts';
import { COHORT_LABEL, inertRule } from '../../../src/domain/policy/stages/rule-document.ts';
import { atOnce } from '../../../src/domain/policy/stages/shape.ts';
import { changedSince } from '../../../src/reading/policy/sources/again.ts';
import type { SelectedPod } from '../../../src/reading/policy/workload.ts';
import type { World } from '../../../src/reading/policy/world.ts';
import { valid } from '../../domain/policy/cluster.ts';
import { FULL, policyDocument } from '../../domain/policy/stages/documents.ts';
import { request, settings } from '../../support/operations.ts';

const NS = 'k8s:io.kubernetes.pod.namespace=frontend';
function pod(name: string, app: string, labels: Record<string, string> = {}): SelectedPod {
  return {
    pod: { metadata: { name, namespace: 'frontend', labels: { app, ...labels } } } as unknown as Pod,
    labels: [`k8s:app=${app}`, NS],
  };
}
function stored(document: object, token?: string): CiliumPolicy {
  const one = document as { metadata: object };
  return { ...one, metadata: { ...one.metadata, ...(token && { annotations: { [TOKEN_ANNOTATION]: token } }) } } as unknown as CiliumPolicy;
}
const world = (...documents: CiliumPolicy[]): World => ({ documents, compile: {}, config: {} });
const holds = (...running: string[]) => ({ holds: async (opId: string) => running.includes(opId) });
const pods = [pod('frontend-1', 'frontend'), pod('cart-1', 'cart')];

describe('an operation that is under way on the same pods', () => {
  const shadow = stored({ ...FULL, metadata: { name: 'meshops-policy-other-shadow', namespace: 'frontend' } }, 'policy-other/1');

  it('is named, and the plan is refused', async () => {
    const refused = await checkOverlap(holds('policy-other'), world(shadow), pods, 'policy-mine');
    expect(refused).toMatchObject({ code: 'Held', words: expect.stringContaining('policy-other') });
  });

  it('is none where it is over, is our own, or is about other pods', async () => {
    expect(await checkOverlap(holds(), world(shadow), pods, 'policy-mine')).toBeUndefined();
    expect(await checkOverlap(holds('policy-other'), world(shadow), pods, 'policy-other')).toBeUndefined();
    expect(await checkOverlap(holds('policy-other'), world(shadow), [pod('cart-1', 'cart')], 'policy-mine')).toBeUndefined();
  });

  it('is named as well while its policy selects nobody: by what it did before, or is to', async () => {
    const nobody = stored({ ...policyDocument({ ingress: [] }), spec: null, specs: [inertRule('policy-other')] }, 'policy-other/0');
    const spec = { endpointSelector: { matchLabels: { app: 'frontend' } }, ingress: [{}] };
    const change = (before: Fields, after: Fields): Write => ({ object: refOf(nobody), uid: '', generation: 0, before, after });
    const [inert, full]: Fields[] = [
      { '/spec': null, '/specs': [inertRule('policy-other')] },
      { '/spec': spec, '/specs': null },
    ];
    for (const write of [change(full as Fields, inert as Fields), change(inert as Fields, full as Fields)]) {
      const audit = { ...holds('policy-other'), planned: async () => [write] };
      expect(await checkOverlap(audit, world(nobody), pods, 'policy-mine')).toMatchObject({ code: 'Held' });
      expect(await checkOverlap(audit, world(nobody), [pod('cart-1', 'cart')], 'policy-mine')).toBeUndefined();
    }
  });

  it('shows in the label of a pod as well; a label that was left behind comes with the command that takes it off', async () => {
    const labelled = [pod('frontend-1', 'frontend', { [COHORT_LABEL]: 'policy-other' })];
    expect(await checkOverlap(holds('policy-other'), world(), labelled, 'policy-mine')).toMatchObject({ code: 'Held' });
    expect(await checkOverlap(holds(), world(), labelled, 'policy-mine')).toMatchObject({
      code: 'Leftover',
      words: expect.stringContaining(`kubectl -n frontend label pod frontend-1 ${COHORT_LABEL}-`),
    });
  });
});

describe("another workload's policy of the candidate's name", () => {
  const existing = stored({
    ...policyDocument({ ingress: [{}] }),
    spec: { endpointSelector: { matchLabels: { app: 'cart' } }, ingress: [{}] },
  });
  const asked = (replace: boolean, gates = settings().gates) =>
    request({
      change: { kind: 'enforce', candidate: { document: FULL, sha256: '', source: 't' }, ...(replace && { replace: true as const }) },
      settings: settings({ gates }),
    });
  const check = (...of: Parameters<typeof asked>) => atOnce(checkReplaced(asked(...of), existing, valid(FULL), pods, world(existing)));

  it('is not replaced silently: pods and rules that lose protection are named', () => {
    expect(check(false)).toMatchObject({
      kind: 'refused',
      refusal: { code: 'NameTaken', words: expect.stringMatching(/cart-1.*the rules for ingress \(1 entry\)/) },
    });
  });

  it('is replaced where that is meant and an approver sees it; without one it is not', () => {
    expect(check(true)).toMatchObject({ kind: 'words', words: [expect.stringContaining('cart-1')] });
    expect(check(true, [])).toMatchObject({ kind: 'refused', refusal: { code: 'NeedsApprover' } });
  });
});

describe('the source of a candidate, read again', () => {
  const candidate = {
    document: FULL,
    // sha256 of `one`
    sha256: '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed',
    source: 'ConfigMap frontend/cand (policy.yaml)',
    origin: { kind: 'config-map', namespace: 'frontend', name: 'cand', key: 'policy.yaml', selector: 'meshops.dev/policy=frontend' },
  } as const;
  const holding = (data: Record<string, string> | undefined) =>
    ({ list: async () => ({ items: data ? [{ metadata: { name: 'cand' }, data }] : [] }) }) as unknown as Cluster;
  const signal = AbortSignal.timeout(1_000);

  it('says so where it was changed or deleted since', async () => {
    expect(await changedSince(holding({ 'policy.yaml': 'one' }), candidate, signal)).toBeUndefined();
    expect(await changedSince(holding({ 'policy.yaml': 'two' }), candidate, signal)).toContain('was changed after the command was given');
    expect(await changedSince(holding(undefined), candidate, signal)).toContain('was deleted after the command was given');
  });
});

describe('what a candidate needs of Cilium', () => {
  it.each([
    [{ 'enable-l7-proxy': 'false' }, FULL, 'NeedsProxy'],
    [{}, policyDocument({ ingress: [{ authentication: { mode: 'required' } }] }), 'NeedsAuthentication'],
    [{ 'mesh-auth-mutual-enabled': 'true' }, policyDocument({ ingress: [{ authentication: { mode: 'required' } }] }), undefined],
    [{}, FULL, undefined],
  ] as const)('%j', (config, document, code) => {
    expect(checkNeeds(document, { config })?.code).toBe(code);
  });
});
