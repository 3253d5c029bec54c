import { describe, expect, it } from 'vitest';
import { checkGitOps } from '../../../activities/planning/gitops.ts';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { OperationRequest } from '../../../src/domain/lifecycle/operation.ts';
import type { ObjectRef, PlannedStage } from '../../../src/domain/lifecycle/plan.ts';

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'shop', name: 'web' };
const signal = new AbortController().signal;

function routeWith(metadata: object): KubeObject {
  return {
    ...ROUTE,
    metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', ...metadata },
  } as KubeObject;
}

const NAME = '/spec/rules/0/backendRefs/1/name';
const WEIGHT = '/spec/rules/0/backendRefs/1/weight';
const stages: readonly PlannedStage[] = [
  {
    number: 1,
    label: '10%',
    exposure: 0.1,
    writes: [{ object: ROUTE, uid: 'u', generation: 1, before: { [NAME]: 'v2', [WEIGHT]: 0 }, after: { [NAME]: 'v2', [WEIGHT]: 10 } }],
  },
];

const marked = routeWith({ annotations: { 'argocd.argoproj.io/tracking-id': 'shop:gateway.networking.k8s.io/HTTPRoute:shop/web' } });
const healing = { spec: { syncPolicy: { automated: { selfHeal: true } } } };

async function check(
  object: KubeObject,
  live: unknown,
  { gitops, isBack = false }: { readonly gitops?: 'refuse'; readonly isBack?: boolean } = {},
) {
  const asked: ObjectRef[] = [];
  const read = async (ref: ObjectRef): Promise<never> => {
    asked.push(ref);
    if (live instanceof Error) throw live;
    return live as never;
  };
  const request = { target: { cluster: 'demo', namespace: 'shop', name: 'web' }, settings: { ...(gitops && { gitops }) } };
  const part = await checkGitOps(
    { cluster: { read } },
    { request: request as unknown as OperationRequest, objects: [object], stages, isBack },
    signal,
  );
  return { part, asked };
}

describe('a plan for what a GitOps tool applies', () => {
  it('has no new word, and asks nobody, without marks', async () => {
    expect(await check(routeWith({ labels: { 'app.kubernetes.io/instance': 'web' } }), healing)).toEqual({
      part: { words: [] },
      asked: [],
    });
  });

  it('says who and when, from the Application itself, with a file that says how it leaves the weights alone', async () => {
    const { part, asked } = await check(marked, healing);
    expect(asked).toEqual([{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', namespace: 'argocd', name: 'shop' }]);
    expect(part).toMatchObject({
      words: [expect.stringContaining('Argo CD application shop applies shop/web and would write Git')],
      attachment: { name: 'gitops-web.yaml', text: expect.stringContaining('jqPathExpressions') as string },
    });
    expect(JSON.stringify(part)).toContain('within seconds');
  });

  it.each([new ClusterFailure('Forbidden', 'may not'), new ClusterFailure('Timeout', 'away'), undefined])(
    'says less where the Application cannot be read (%s)',
    async (live) => {
      const { part } = await check(marked, live);
      expect(JSON.stringify(part)).toContain('at its next sync, within seconds if it heals itself');
    },
  );

  it('needs no file where it is left alone', async () => {
    const flux = routeWith({
      labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' },
    });
    const { part, asked } = await check(flux, { spec: { interval: '10m', suspend: true } });
    expect(asked).toEqual([
      { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'flux-system', name: 'shop' },
    ]);
    expect(part).toEqual({
      words: ['Flux Kustomization flux-system/shop applies shop/web, but is suspended: it leaves this change alone.'],
    });
  });

  it('is refused where the configuration says so, with the way out; what only goes back never is', async () => {
    const { part } = await check(marked, healing, { gitops: 'refuse' });
    expect(part).toMatchObject({ kind: 'impossible', code: 'GitOps' });
    expect((part as { words: string }).words).toContain('Nothing was changed. Give Application argocd/shop the ignoreDifferences');
    expect((await check(marked, healing, { gitops: 'refuse', isBack: true })).part).not.toHaveProperty('kind');
    const suspended = { spec: { syncPolicy: { automated: { selfHeal: true }, syncOptions: ['RespectIgnoreDifferences=true'] } } };
    const ignoring = { spec: { ...suspended.spec, ignoreDifferences: [{ jsonPointers: ['/spec/rules'] }] } };
    expect((await check(marked, suspended, { gitops: 'refuse' })).part).toHaveProperty('kind', 'impossible');
    expect((await check(marked, ignoring, { gitops: 'refuse' })).part).not.toHaveProperty('kind');
  });
});
