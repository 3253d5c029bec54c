import type { Outcome } from '../../../src/domain/lifecycle/operation.ts';
import { list } from '../mesh-state.ts';
import type { Operation } from '../operation.ts';
import { must } from '../scenario.ts';
import type { Scene } from '../scene.ts';

/** What the policy stories have in common. */
export const POLICY = '/apis/cilium.io/v2/namespaces/frontend/ciliumnetworkpolicies/frontend';

/** Puts the candidate where the bot looks for it. The namespace of the demo's workloads has their name. */
export async function propose(scene: Scene, yaml: string, namespace = 'frontend', workload = namespace): Promise<void> {
  const name = `${workload}-policy`;
  await scene.put(`/api/v1/namespaces/${namespace}/configmaps/${name}`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { 'meshops.dev/policy': workload } },
    data: { 'policy.yaml': yaml },
  });
}

/** Proposes, asks and approves. */
export async function enforce(scene: Scene, yaml: string, flags = '--window 10s', workload = 'frontend'): Promise<Operation> {
  await propose(scene, yaml, workload);
  const operation = await scene.begin(`/policy enforce ${workload}/${workload} ${flags}`);
  const click = await operation.press('reviewer', 'meshops:approve');
  must(click.ok, `the approval was not taken: ${click.error}`);
  return operation;
}

export function ended(outcome: Outcome, kind: Outcome['kind']): void {
  must(outcome.kind === kind, `the outcome is ${outcome.kind}: ${outcome.words}`);
}

/** Waits for the rollback and measures it by the mesh's own record of connections. Times are milliseconds. */
export async function undone(
  scene: Scene,
  operation: Operation,
  since: number,
  whose: (name: string) => boolean,
  name = 'frontend/frontend',
) {
  const outcome = await operation.result();
  ended(outcome, 'rolled-back');
  must(outcome.restoredExactly === true, 'the operation does not say that everything is as it was');
  must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
  await scene.rig.cilium.settle();
  const { connections } = scene.rig.cilium.truth;
  const drops = connections.list.filter((one) => one.at >= since && !one.allowed && whose(one.name));
  const first = drops[0]?.at;
  const last = drops.at(-1)?.at;
  must(first !== undefined && last !== undefined, `nothing was dropped, so nothing was undone: ${outcome.code}: ${outcome.words}`);
  // The candidate is taken away again, node by node; generation 0 is its deletion.
  const { policies } = scene.rig.cilium.truth;
  const gone = policies.list.filter(({ policy, generation, seenAt }) => policy.endsWith(name) && generation === 0 && seenAt >= first);
  return {
    restoredAfterMs: Math.round(Math.min(...gone.map(({ seenAt }) => seenAt)) - first),
    inForceAfterMs: Math.round(Math.max(...gone.map(({ inForceAt }) => inForceAt)) - first),
    dropped: drops.length,
    podsAffected: new Set(drops.map(({ source, destination }) => [source, destination].find((end) => end.startsWith('frontend/')) ?? ''))
      .size,
    firstDropAt: Math.round(first - scene.began),
    lastDropAt: Math.round(last - scene.began),
    dropsForMs: Math.round(last - first),
  };
}

/** Pods that still carry a cohort label. */
export async function podsInCohorts(scene: Scene): Promise<readonly string[]> {
  const pods = await list(scene, '/api/v1/pods');
  return pods.filter(({ metadata }) => metadata.labels?.['meshops.dev/cohort'] !== undefined).map(({ metadata }) => metadata.name);
}
