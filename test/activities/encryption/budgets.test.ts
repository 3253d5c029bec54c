import { expect, it } from 'vitest';
import { tightBudget } from '../../../activities/encryption/budgets.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';

const AGENT = { 'k8s-app': 'cilium', 'app.kubernetes.io/name': 'cilium-agent' };
const { signal } = new AbortController();

function tight(count: number, ...budgets: readonly { readonly selector?: object | null; readonly allowed?: number }[]) {
  const items = budgets.map(({ selector, allowed }, index) => ({
    metadata: { name: `budget-${index}` },
    spec: selector === undefined ? {} : { selector },
    ...(allowed !== undefined && { status: { disruptionsAllowed: allowed } }),
  }));
  const cluster = { list: async () => ({ items, resourceVersion: '1' }) } as unknown as Cluster;
  return tightBudget(cluster, { namespace: 'kube-system', labels: AGENT, count }, signal);
}

const OURS = { matchLabels: { 'k8s-app': 'cilium' } };

it.each([
  ['all may go', 3, OURS, 3, undefined],
  ['fewer may go than are to', 3, OURS, 2, 2],
  ['nobody may go', 1, OURS, 0, 0],
  ['the controller has not said', 1, OURS, undefined, undefined],
  ['the controller has not said, and several are to go', 2, OURS, undefined, 1],
  ['it is for other pods', 3, { matchLabels: { 'k8s-app': 'dns' } }, 0, undefined],
  ['it is for all pods of the namespace', 1, {}, 0, 0],
  ['it selects nobody', 1, null, 0, undefined],
  ['it selects by expressions', 1, { matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['cilium', 'dns'] }] }, 0, 0],
  ['its expressions are for others', 1, { matchExpressions: [{ key: 'k8s-app', operator: 'NotIn', values: ['cilium'] }] }, 0, undefined],
])('where %s', async (_, count, selector, allowed, expected) => {
  const found = await tight(count, { selector, ...(allowed !== undefined && { allowed }) });
  expect(found?.allowed).toBe(expected);
});

it('the tightest one is named, and one that may not be read is not known', async () => {
  expect(await tight(3, { selector: OURS, allowed: 2 }, { selector: OURS, allowed: 1 })).toEqual({ name: 'budget-1', allowed: 1 });
  const list = (code: 'Forbidden' | 'Timeout') => ({ list: () => Promise.reject(new ClusterFailure(code, 'no')) }) as unknown as Cluster;
  const asked = { namespace: 'kube-system', labels: AGENT, count: 1 };
  expect(await tightBudget(list('Forbidden'), asked, signal)).toBeUndefined();
  await expect(tightBudget(list('Timeout'), asked, signal)).rejects.toThrow();
});
