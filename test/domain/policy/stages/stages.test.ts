import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/domain/json.ts';
import { compilePolicies } from '../../../../src/domain/policy/evaluator.ts';
import { parsePolicy } from '../../../../src/domain/policy/parse.ts';
import { baselinePolicy } from '../../../../src/domain/policy/stages/bootstrap.ts';
import type { Shape } from '../../../../src/domain/policy/stages/levels.ts';
import { COHORT_LABEL } from '../../../../src/domain/policy/stages/rule-document.ts';
import { atOnce, shapeOf } from '../../../../src/domain/policy/stages/shape.ts';
import { COHORT_POINTER } from '../../../../src/domain/policy/stages/stages.ts';
import { FULL, OP, podsOf, policyAfter, policyDocument, stagesOf } from './documents.ts';

const NS = 'k8s:io.kubernetes.pod.namespace=frontend';
const outside = { labels: ['k8s:app=frontend', NS] };
const inside = { labels: [...outside.labels, `k8s:${COHORT_LABEL}=${OP}`] };
const gateway = { labels: ['reserved:ingress'] };
const CLUSTER = 'k8s:io.cilium.k8s.policy.cluster=default';
const stranger = { labels: ['k8s:app=legacy', 'k8s:io.kubernetes.pod.namespace=legacy', CLUSTER] };

function allowed(document: JsonObject, flow: { from: typeof outside; to: typeof outside; port: number; method?: string }): boolean {
  const parsed = parsePolicy(document);
  if (!parsed.ok) throw new Error(parsed.error);
  const { from, to, port, method } = flow;
  const http = method === undefined ? {} : { http: { method, path: '/', host: 'x' } };
  return (
    compilePolicies([parsed.policy]).decide({ source: from, destination: to, protocol: 'TCP', destinationPort: port, ...http }).verdict ===
    'allowed'
  );
}

describe('the stages of four replicas', () => {
  const { stages } = stagesOf();

  it('observe, then ingress, egress and layer 7 by cohorts', () => {
    expect(stages.map(({ number, label, exposure }) => [number, label, exposure])).toEqual([
      [1, 'observe', 0],
      [2, 'ingress, 1 pod of 4', 0.25],
      [3, 'ingress, 2 pods of 4', 0.5],
      [4, 'ingress, all pods', 1],
      [5, 'egress, 1 pod of 4', 1],
      [6, 'egress, 2 pods of 4', 1],
      [7, 'egress, all pods', 1],
      [8, 'L7, 1 pod of 4', 1],
      [9, 'L7, 2 pods of 4', 1],
      [10, 'L7, all pods', 1],
    ]);
    expect(stages[0]?.soakMs).toBe(60_000);
  });

  it('every document on the way is one that Cilium accepts', () => {
    for (const { number } of stages.slice(1)) expect(parsePolicy(policyAfter(stages, number))).toMatchObject({ ok: true });
  });

  it('what the claim makes selects nobody', () => {
    const made = stages.flatMap(({ writes }) => writes).flatMap(({ manifest }) => manifest ?? []);
    expect(made.length).toBe(2);
    for (const manifest of made) {
      for (const to of [outside, inside]) expect(allowed(manifest as JsonObject, { from: stranger, to, port: 8080 })).toBe(true);
    }
  });

  it('the first cohort alone is denied by default, and only inward', () => {
    const policy = policyAfter(stages, 2);
    expect(allowed(policy, { from: stranger, to: inside, port: 8080 })).toBe(false);
    expect(allowed(policy, { from: stranger, to: outside, port: 8080 })).toBe(true);
    expect(allowed(policy, { from: gateway, to: inside, port: 8080, method: 'DELETE' })).toBe(true);
    expect(allowed(policy, { from: inside, to: stranger, port: 9 })).toBe(true);
  });

  it('in the phase of layer 7 the cohort is held to it, and the others to layers 3 and 4', () => {
    const policy = policyAfter(stages, 8);
    const ask = (to: typeof outside, method: string) => allowed(policy, { from: gateway, to, port: 8080, method });
    expect([ask(inside, 'GET'), ask(inside, 'DELETE'), ask(outside, 'DELETE')]).toEqual([true, false, true]);
    expect(allowed(policy, { from: outside, to: stranger, port: 9 })).toBe(false);
  });

  it('the last stage is the candidate to the letter, without labels and shadow', () => {
    expect(policyAfter(stages, 10)['spec']).toEqual(FULL['spec']);
    expect(
      stages
        .at(-1)
        ?.writes.filter(({ kind }) => kind === 'delete')
        .map(({ object }) => object.name),
    ).toEqual([`meshops-${OP}-shadow`]);
    const labels = new Map<string, unknown>();
    for (const { writes } of stages)
      for (const { object, after } of writes) if (COHORT_POINTER in after) labels.set(object.name, after[COHORT_POINTER]);
    expect([...labels.values()]).toEqual([null, null]);
  });

  it('every enforcing stage writes the policy, so that its token fences the stage', () => {
    for (const { writes } of stages.slice(1)) expect(writes[0]?.object).toMatchObject({ kind: 'CiliumNetworkPolicy', name: 'frontend' });
  });

  it('every write begins where the one before it on the same object has ended', () => {
    const now = new Map<string, Record<string, unknown>>();
    for (const { object, before, after } of stages.flatMap(({ writes }) => writes)) {
      const known = now.get(object.name);
      for (const [field, value] of Object.entries(before)) if (known && field in known) expect(value).toEqual(known[field]);
      now.set(object.name, { ...known, ...after });
    }
  });
});

describe('the shadow', () => {
  const shadowOf = (change: Parameters<typeof stagesOf>[0]) =>
    stagesOf(change).stages[0]?.writes[0]?.after['/specs'] as readonly JsonObject[];

  it('allows on layers 3 and 4 only, denies nothing, carries the marker, and leaves the cohort alone', () => {
    const [rule] = shadowOf({});
    expect(rule).toMatchObject({ enableDefaultDeny: { ingress: false, egress: false }, log: { value: OP } });
    expect(JSON.stringify(rule)).not.toMatch(/"http"|Deny":\[/);
    expect(JSON.stringify(rule?.['endpointSelector'])).toContain('NotIn');
  });

  it('watches a direction that only denies', () => {
    const [rule] = shadowOf({ candidate: policyDocument({ ingressDeny: [{ fromEntities: ['world'] }] }), observed: ['ingress'] });
    expect(rule).toMatchObject({ ingress: [{}] });
    expect(rule).not.toHaveProperty('ingressDeny');
  });

  it('lets every lookup through the DNS proxy where the policy allows by name, and no other proxy', () => {
    const dns = {
      toEndpoints: [{ matchLabels: { 'k8s-app': 'kube-dns' } }],
      toPorts: [{ ports: [{ port: '53', protocol: 'UDP' }], rules: { dns: [{ matchName: 'api.example.com' }] } }],
    };
    const web = {
      toEndpoints: [{ matchLabels: { app: 'backend' } }],
      toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: [{ method: 'GET' }] } }],
    };
    const name = { toFQDNs: [{ matchName: 'api.example.com' }] };
    const rulesIn = (egress: readonly JsonObject[]) =>
      JSON.stringify(shadowOf({ candidate: policyDocument({ egress: [...egress] }), observed: ['egress'] })).match(/"rules":[^\]]*\]/g);
    expect(rulesIn([dns, web, name])).toEqual(['"rules":{"dns":[{"matchPattern":"*"}]']);
    expect(rulesIn([dns, web])).toBeNull();
  });

  it('is not there where no direction may be observed', () => {
    expect(stagesOf({ observed: [] }).stages[0]?.label).toBe('ingress, 1 pod of 4');
  });

  it('alone is observed and cleaned up', () => {
    expect(stagesOf({ observeOnly: true }).stages.map(({ label, soakMs }) => [label, soakMs])).toEqual([
      ['observe', 60_000],
      // Watched as any other write.
      ['clean up', undefined],
    ]);
  });
});

describe('a policy that replaces one of the same name', () => {
  const old = policyDocument({
    ingress: [{ fromEntities: ['ingress'] }, { fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'legacy' } }] }],
  });
  const { stages } = stagesOf({ existing: { uid: 'u', generation: 3, document: old }, observed: [] });

  it('stays in force for every pod that a phase has not reached', () => {
    const policy = policyAfter(stages, 1);
    expect(allowed(policy, { from: stranger, to: outside, port: 8080 })).toBe(true);
    expect(allowed(policy, { from: { labels: ['reserved:world'] }, to: outside, port: 8080 })).toBe(false);
    expect(allowed(policy, { from: stranger, to: inside, port: 8080 })).toBe(false);
  });

  it('is no creation, and begins from what is there', () => {
    expect(stages[0]?.writes[0]).toMatchObject({ uid: 'u', generation: 3, before: { '/spec': old['spec'], '/specs': null } });
    expect(stages[0]?.writes[0]?.kind).toBeUndefined();
  });

  it('is never looser on the way where it had rules of a proxy', () => {
    const strict = policyDocument({ ingress: FULL['spec'] && ((FULL['spec'] as JsonObject)['ingress'] as never) });
    const stages = (shape: Shape) => stagesOf({ existing: { uid: 'u', generation: 1, document: strict }, observed: [], shape }).stages;
    const { shape } = atOnce(shapeOf({ others: [], existing: strict, candidate: FULL, world: {}, stagesOf: stages }));
    const labels = stages(shape).map(({ label }) => label);
    expect(labels.every((label) => label.startsWith('egress'))).toBe(true);
  });

  it('the same again is nothing to do', () => {
    expect(stagesOf({ existing: { uid: 'u', generation: 1, document: FULL }, observed: [] }).stages).toEqual([]);
  });
});

describe('small and unready workloads', () => {
  it('one replica has no cohort', () => {
    expect(stagesOf({ pods: podsOf(1), observed: [] }).stages.map(({ label }) => label)).toEqual([
      'ingress, all pods',
      'egress, all pods',
      'L7, all pods',
    ]);
  });

  it('pods that are not ready never go first', () => {
    expect(stagesOf({ pods: podsOf(4, 1) }).cohort).toHaveLength(1);
  });
});

describe('the baseline of a namespace', () => {
  const policy = baselinePolicy('frontend');
  const dns = {
    labels: ['k8s:k8s-app=kube-dns', 'k8s:io.kubernetes.pod.namespace=kube-system', 'k8s:io.cilium.k8s.policy.cluster=default'],
  };
  it.each([
    ['DNS', { from: outside, to: dns, port: 53 }, true],
    ['the API server', { from: outside, to: { labels: ['reserved:kube-apiserver', 'reserved:remote-node'] }, port: 6443 }, true],
    ['ingress', { from: gateway, to: outside, port: 8080 }, true],
    ['health checks', { from: { labels: ['reserved:health'] }, to: outside, port: 4240 }, true],
    ['a stranger inward', { from: stranger, to: outside, port: 8080 }, false],
    ['a stranger outward', { from: outside, to: stranger, port: 8080 }, false],
  ])('%s: %#', (_, flow, expected) => {
    expect(allowed(policy, flow)).toBe(expected);
  });
});
