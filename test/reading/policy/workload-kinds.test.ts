import { describe, expect, it } from 'vitest';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { ObjectRef } from '../../../src/domain/lifecycle/plan.ts';
import { isOf, runsOnHost } from '../../../src/reading/policy/workload.ts';
import { findWorkload } from '../../../src/reading/policy/workload-kinds.ts';

function named(kind: string, name: string, { metadata, spec }: { readonly metadata?: object; readonly spec?: object } = {}): KubeObject {
  const own = { name, namespace: 'shop', uid: `${kind}-${name}`, ...metadata };
  return { apiVersion: 'apps/v1', kind, metadata: own, spec: spec ?? { selector: { matchLabels: { app: name } } } } as never;
}

function clusterOf(objects: readonly KubeObject[], forbidden: readonly string[] = []) {
  return {
    read: (async ({ kind, name }: ObjectRef) => {
      if (forbidden.includes(kind)) throw new ClusterFailure('Forbidden', `may not read ${kind}`);
      return objects.find((one) => one.kind === kind && one.metadata.name === name);
    }) as never,
  };
}

function find(objects: readonly KubeObject[], name: string, forbidden?: readonly string[]): ReturnType<typeof findWorkload> {
  return findWorkload(clusterOf(objects, forbidden), { namespace: 'shop', name }, AbortSignal.timeout(1_000));
}

describe('the workload of a name', () => {
  it.each(['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout', 'ReplicaSet'])('may be a %s', async (kind) => {
    expect((await find([named(kind, 'db')], 'db'))?.kind).toBe(kind);
    expect(await find([named(kind, 'db')], 'other')).toBeUndefined();
  });

  it('is the Deployment where several kinds have it', async () => {
    expect((await find([named('DaemonSet', 'db'), named('StatefulSet', 'db'), named('Deployment', 'db')], 'db'))?.kind).toBe('Deployment');
  });

  it('is not a ReplicaSet that a Deployment has made, but one that an operator of its own has', async () => {
    const of = (kind: string) => ({ metadata: { ownerReferences: [{ apiVersion: 'x/v1', kind, name: 'web', controller: true }] } });
    expect(await find([named('ReplicaSet', 'web-7d9f', of('Deployment'))], 'web-7d9f')).toBeUndefined();
    expect((await find([named('StatefulSet', 'pg', of('Postgres'))], 'pg'))?.kind).toBe('StatefulSet');
  });

  it('is found as far as we may read; Deployments we must', async () => {
    expect((await find([named('Deployment', 'db')], 'db', ['Rollout', 'ReplicaSet', 'StatefulSet']))?.kind).toBe('Deployment');
    await expect(find([], 'db', ['Deployment'])).rejects.toThrow('may not read');
  });

  it('has the pods of the Deployment that a Rollout leaves its template to', async () => {
    const rollout = named('Rollout', 'web', { spec: { workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web-base' } } });
    const found = await find([rollout, named('Deployment', 'web-base')], 'web');
    const pod = (app: string) => ({ metadata: { name: 'p', uid: 'u', labels: { app } } }) as never;
    expect(found?.kind).toBe('Rollout');
    expect([isOf(found as KubeObject, pod('web-base')), isOf(found as KubeObject, pod('other'))]).toEqual([true, false]);
  });

  it('may run on its hosts', () => {
    expect(runsOnHost(named('DaemonSet', 'proxy', { spec: { template: { spec: { hostNetwork: true } } } }))).toBe(true);
    expect(runsOnHost(named('DaemonSet', 'log', { spec: { template: { spec: {} } } }))).toBe(false);
  });
});
