import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { PlanDeps } from '../../../activities/policy/deps.ts';
import { planPolicy } from '../../../activities/policy/plan.ts';
import type { CiliumPolicy } from '../../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { PlanInput } from '../../../src/domain/lifecycle/contract.ts';
import type { ObjectRef, Plan } from '../../../src/domain/lifecycle/plan.ts';
import { PolicyDetails } from '../../../src/domain/policy/stages/details.ts';
import { momentsOf } from '../../../src/domain/policy/stages/moments.ts';
import { atOnce, checkStages } from '../../../src/domain/policy/stages/shape.ts';
import { OP, policyDocument } from '../../domain/policy/stages/documents.ts';
import { request, settings } from '../../support/operations.ts';

const FROM_SHOP = { fromEndpoints: [{ matchLabels: { app: 'shop' } }], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] };
const RULES = policyDocument({ ingress: [FROM_SHOP], egress: [{ toEntities: ['kube-apiserver'] }] });

function stored(document: JsonObject, name = 'frontend'): CiliumPolicy {
  const metadata = { name, namespace: 'frontend', uid: `p-${name}`, resourceVersion: '1', generation: 3, labels: { team: 'web' } };
  return { ...document, metadata: { ...(document['metadata'] as JsonObject), ...metadata } } as unknown as CiliumPolicy;
}

interface Asked {
  readonly policies?: readonly CiliumPolicy[];
  readonly policy?: string;
  readonly app?: string;
  readonly gates?: ReturnType<typeof settings>['gates'];
  readonly may?: (verb: string) => boolean;
  readonly lastCompleted?: object;
  readonly kind?: 'back';
}

async function ask({ policies = [stored(RULES)], policy = 'frontend', app = 'frontend', may = () => true, ...rest }: Asked = {}) {
  const labels = ['k8s:app=frontend', 'k8s:io.kubernetes.pod.namespace=frontend', 'k8s:io.cilium.k8s.policy.cluster=default'];
  const pods = [0, 1, 2, 3].map((index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `f-${index}`,
      namespace: 'frontend',
      uid: `u-${index}`,
      resourceVersion: '1',
      labels: { app: 'frontend' },
      annotations: { a: 'b' },
    },
    spec: { nodeName: `n-${index}`, containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  }));
  const items: Record<string, readonly object[]> = {
    Pod: pods,
    CiliumEndpoint: pods.map(({ metadata: { name } }) => ({ metadata: { name }, status: { identity: { labels } } })),
    CiliumNetworkPolicy: policies,
  };
  const own: Record<string, object> = {
    ConfigMap: { data: { 'enable-hubble': 'true', 'enable-policy': 'default' } },
    Namespace: { metadata: { name: 'frontend' } },
    Deployment: { kind: 'Deployment', metadata: { name: app, namespace: 'frontend' }, spec: { selector: { matchLabels: { app } } } },
  };
  const tried: string[] = [];
  const cluster = {
    read: async ({ kind, name }: ObjectRef) =>
      (items[kind] as readonly { metadata: { name: string } }[] | undefined)?.find(({ metadata }) => metadata.name === name) ?? own[kind],
    list: async ({ kind }: { readonly kind: string }, _: object, { part = (one: object) => one }: { part?: (one: object) => object }) => ({
      items: (items[kind] ?? []).map(part),
      resourceVersion: '1',
    }),
    patch: async (ref: ObjectRef) => {
      tried.push(`patch ${ref.kind}`);
      return (items[ref.kind] as readonly { metadata: { name: string } }[]).find(({ metadata }) => metadata.name === ref.name);
    },
    create: async (object: JsonObject) => object,
    remove: async (ref: ObjectRef) => void tried.push(`delete ${ref.kind} ${ref.name}`),
    mayI: async ({ verb }: { readonly verb: string }) => ({ allowed: may(verb), reason: '' }),
  };
  const deps = {
    cluster,
    flows: { check: async () => [{ node: 'n-0' }] },
    audit: { holds: async () => false, lastCompleted: async () => rest.lastCompleted },
    now: () => 1_000_000,
    log: {},
  } as unknown as PlanDeps;
  const change = rest.kind === 'back' ? { kind: 'back' } : { kind: 'delete', policy };
  const asked = {
    ...request({ change: change as never, settings: settings(rest.gates && { gates: rest.gates }) }),
    verb: 'policy',
    target: { cluster: 'demo', namespace: 'frontend', name: app },
  };
  const result = await planPolicy(deps, { opId: OP, firstStage: 1, request: asked } as unknown as PlanInput, AbortSignal.timeout(20_000));
  return { result, tried };
}

function planIn({ result }: Awaited<ReturnType<typeof ask>>): Plan {
  if (result.kind !== 'plan') throw new Error(result.words);
  return result.plan;
}

describe('a policy that is to be deleted', () => {
  it('goes out of force by cohorts like any rollout, and its object goes last, when it selects nobody', async () => {
    const asked = await ask();
    const plan = planIn(asked);
    expect(plan.stages.map(({ label }) => label)).toEqual([
      ...['ingress', 'egress'].flatMap((phase) => [`${phase}, 1 pod of 4`, `${phase}, 2 pods of 4`, `${phase}, all pods`]),
      'removed',
    ]);
    const last = plan.stages.at(-1);
    expect(last).toMatchObject({ exposure: 0, soakMs: 0, writes: [{ kind: 'delete', object: { name: 'frontend' } }] });
    expect(plan.stages.slice(0, -1).every(({ writes }) => writes.every(({ kind }) => kind !== 'delete'))).toBe(true);
    expect(asked.tried).toContain('delete CiliumNetworkPolicy frontend');
    expect(plan).toMatchObject({ from: 'policy frontend as it is', to: 'no policy frontend' });
    // Whom it selects is told by the policy as it was: by what takes its place nobody would be watched.
    expect(PolicyDetails.parse(plan.details)).toMatchObject({ change: 'delete', candidate: { spec: RULES['spec'] } });
  });

  it('says first what it opens, and has the policy as people wrote it in the thread', async () => {
    const plan = planIn(await ask());
    expect(plan.explanation[0]).toMatch(/^Opens: .*Closes: nothing\.$/);
    const text = plan.attachment?.text ?? '';
    expect(parse(text)).toEqual({ ...RULES, metadata: { name: 'frontend', namespace: 'frontend', labels: { team: 'web' } } });
  });

  it('puts back exactly what was there: each field that a stage writes is known as it was', async () => {
    const plan = planIn(await ask());
    const original = plan.originals.find(({ object }) => object.kind === 'CiliumNetworkPolicy');
    expect(original?.fields).toEqual({ '/spec': RULES['spec'], '/specs': null });
    expect(original?.uid).toBe('p-frontend');
  });

  it('is at no moment looser or tighter than both ends, also under a default deny of somebody else', async () => {
    const other = stored(policyDocument({ ingress: [{ fromEntities: ['health'] }], egress: [{ toEntities: ['world'] }] }), 'other');
    const existing = stored(RULES);
    const plan = planIn(await ask({ policies: [existing, other] }));
    const documents = { others: [other as unknown as JsonObject], existing: existing as unknown as JsonObject };
    const gone = { ...RULES, spec: undefined, specs: [] } as unknown as JsonObject;
    expect(atOnce(checkStages({ ...documents, candidate: gone, world: {} }, plan.stages))).toMatchObject({ breach: undefined });
    expect(plan.explanation[0]).not.toContain('Closes: nothing');
    // Once it is removed it is in force nowhere.
    expect(momentsOf(plan.stages, documents.existing).at(-1)).toEqual({ stage: 'removed', documents: [] });
  });

  it.each<readonly [string, Asked, string, string]>([
    ['is not there', { policy: 'nobody' }, 'NotReady', 'no CiliumNetworkPolicy frontend/nobody'],
    ['is for another workload', { app: 'cart' }, 'NotSelected', 'selects no pod of Deployment frontend/cart'],
    ['would go without anybody to agree', { gates: [] }, 'NeedsApprover', 'needs an approver'],
    ['may not be deleted by whoever asks', { may: (verb) => verb !== 'delete' }, 'Forbidden', 'delete'],
  ])('is refused where it %s', async (_, asked, code, words) => {
    const { result, tried } = await ask(asked);
    expect(result).toMatchObject({ kind: 'impossible', code, words: expect.stringContaining(words) });
    expect(tried).toEqual([]);
  });

  it('does not come back by itself: that closes something, and is a rollout of its own', async () => {
    const plan = planIn(await ask());
    const written = plan.stages.map(({ number, writes }) => ({ stage: number, writes }));
    const lastCompleted = { opId: 'policy-gone01', originals: plan.originals, last: plan.stages.at(-1), written };
    const { result } = await ask({ policies: [], lastCompleted, kind: 'back' });
    expect(result).toMatchObject({ kind: 'impossible', code: 'Gone', words: expect.stringContaining('enforce the file') });
  });
});
