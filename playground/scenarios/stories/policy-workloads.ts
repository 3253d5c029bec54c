import { list } from '../mesh-state.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';
import { ended, podsInCohorts, propose, undone } from './policy-steps.ts';

/** Stories of `/policy enforce` on what is no Deployment: pods with ordinals, and one on each node. */

type Kind = 'StatefulSet' | 'DaemonSet';

const PATHS: Readonly<Record<Kind, string>> = { StatefulSet: 'statefulsets', DaemonSet: 'daemonsets' };
const NAME = 'store';
const REPLICAS = 3;

const policyOf = (peer: string): string => `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: ${NAME}, namespace: frontend }
spec:
  endpointSelector: { matchLabels: { app: ${NAME} } }
  ingress:
    - fromEndpoints: [{ matchLabels: { k8s:io.kubernetes.pod.namespace: external, app: ${peer} } }]
      toPorts: [{ ports: [{ port: "8080", protocol: TCP }] }]
`;

/** A workload with its Service, and a client of it; all of it goes again. */
async function withWorkload<T>(scene: Scene, kind: Kind, run: (pods: () => readonly string[]) => Promise<T>): Promise<T> {
  const workload = `/apis/apps/v1/namespaces/frontend/${PATHS[kind]}/${NAME}`;
  const service = `/api/v1/namespaces/frontend/services/${NAME}`;
  const labels = { app: NAME, version: 'v1' };
  const containers = [{ name: NAME, image: 'docker.io/mendhak/http-https-echo:35', ports: [{ name: 'http', containerPort: 8080 }] }];
  const template = { metadata: { labels }, spec: { containers } };
  const metadata = { name: NAME, namespace: 'frontend' };
  const own = kind === 'StatefulSet' ? { replicas: REPLICAS, serviceName: NAME } : {};
  await scene.put(service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: { app: NAME }, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] },
  });
  await scene.put(workload, {
    apiVersion: 'apps/v1',
    kind,
    metadata,
    spec: { ...own, selector: { matchLabels: { app: NAME } }, template },
  });
  const { cilium } = scene.rig;
  const pods = () => cilium.pods().flatMap(({ name, group, ready }) => (group === `frontend/${NAME}` && ready ? [name] : []));
  const wanted = kind === 'StatefulSet' ? REPLICAS : cilium.nodes.length;
  await scene.until(() => pods().length === wanted, `${wanted} pods of the ${kind}`, 40_000);
  const client = await cilium.clients.start({ name: 'shopper', namespace: 'external', to: `frontend/${NAME}`, port: 8080, everyMs: 60 });
  const clear = async (): Promise<void> => {
    await client.stop();
    for (const path of [workload, service, `/api/v1/namespaces/frontend/configmaps/${NAME}-policy`]) await scene.remove(path);
    await scene.remove(`/apis/cilium.io/v2/namespaces/frontend/ciliumnetworkpolicies/${NAME}`);
  };
  const result = await run(pods).catch(async (error: unknown) => {
    await clear();
    throw error;
  });
  await clear();
  await scene.until(() => cilium.pods().every(({ name }) => !name.startsWith(`${NAME}-`)), `the pods of the ${kind} to go`);
  return result;
}

async function enforceStore(scene: Scene, yaml: string, flags: string) {
  await propose(scene, yaml, 'frontend', NAME);
  const operation = await scene.begin(`/policy enforce frontend/${NAME} ${flags}`);
  const click = await operation.press('reviewer', 'meshops:approve');
  must(click.ok, `the approval was not taken: ${click.error}`);
  return operation;
}

/** Deletes a pod; its controller makes it anew in its place. */
async function replace(scene: Scene, name: string, isBack: () => boolean): Promise<string | undefined> {
  const path = `/api/v1/namespaces/frontend/pods/${name}`;
  const before = (await scene.read(path)) as { metadata: { uid: string } };
  await scene.remove(path);
  await scene.until(async () => {
    const pods = await list(scene, '/api/v1/namespaces/frontend/pods');
    return pods.every(({ metadata }) => (metadata as { uid?: string }).uid !== before.metadata.uid) && isBack();
  }, 'the pod that comes in its place');
  return before.metadata.uid;
}

export const policyWorkloadStories: readonly Scenario[] = [
  {
    name: 'policy-statefulset',
    story:
      'a policy goes live on a StatefulSet from the highest ordinal down; the pod that goes first is deleted, comes back under its name, and has its turn again',
    play: (scene) =>
      withWorkload(scene, 'StatefulSet', async (pods) => {
        const operation = await enforceStore(scene, policyOf('shopper'), '--no-observe --soak 6s');
        await operation.phase('watching', 60_000);
        const first = await podsInCohorts(scene);
        must(first.join() === `${NAME}-2`, `${first.join(', ')} goes first instead of ${NAME}-2`);
        await replace(scene, `${NAME}-2`, () => pods().length === REPLICAS);
        const seen = new Set<string>();
        for (;;) {
          await scene.wait(200);
          const { phase, verdict } = await operation.view();
          if (phase === 'over') break;
          must(phase !== 'holding' || verdict?.kind === 'no-traffic', `it holds for ${verdict?.words}`);
          if (phase === 'holding') await operation.answer('reviewer', 'meshops:continue');
          const now = await podsInCohorts(scene);
          if (now.length > 0) seen.add(now.toSorted().join());
        }
        ended(await operation.result(), 'completed');
        must(!seen.has(`${NAME}-0`) && [...seen].every((one) => one.includes(`${NAME}-2`)), `the cohorts were ${[...seen].join(' / ')}`);
        must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
        return { operation, extra: { cohorts: [...seen] } };
      }),
  },
  {
    name: 'policy-statefulset-undo',
    story:
      'the pod of a StatefulSet that goes first comes back under its name and is labelled again; then harm shows: every pod is as it was, the one that came back too',
    play: (scene) =>
      withWorkload(scene, 'StatefulSet', async (pods) => {
        const since = Date.now();
        const operation = await enforceStore(scene, policyOf('shopper'), '--no-observe --soak 25s --steps 60');
        await operation.phase('watching', 60_000);
        await replace(scene, `${NAME}-2`, () => pods().length === REPLICAS);
        const again = async () => (await podsInCohorts(scene)).includes(`${NAME}-2`);
        await scene.until(
          async () => {
            if ((await operation.view()).phase === 'holding') await operation.answer('reviewer', 'meshops:extend');
            return again();
          },
          'the pod that came back to be labelled again',
          120_000,
        );
        const late = await scene.rig.cilium.clients.start({
          name: 'late',
          namespace: 'external',
          to: `frontend/${NAME}`,
          port: 8080,
          everyMs: 60,
        });
        try {
          const extra = await undone(scene, operation, since, (name) => name === 'late', `frontend/${NAME}`);
          const live = await list(scene, '/api/v1/namespaces/frontend/pods');
          const marked = live.filter(({ metadata }) => JSON.stringify(metadata.annotations ?? {}).includes(operation.opId));
          must(marked.length === 0, `${marked.map(({ metadata }) => metadata.name).join(', ')} still carries the operation's token`);
          return { operation, extra };
        } finally {
          await late.stop();
        }
      }),
  },
  {
    name: 'policy-daemonset',
    story:
      'a policy goes live on a DaemonSet node by node; the pod that goes first is deleted, and its successor on that node goes first again',
    play: (scene) =>
      withWorkload(scene, 'DaemonSet', async (pods) => {
        const nodes = scene.rig.cilium.nodes.length;
        const operation = await enforceStore(scene, policyOf('shopper'), '--no-observe --soak 6s');
        await operation.phase('watching', 60_000);
        const nodeOf = (pod: string | undefined) => scene.rig.cilium.pods().find(({ name }) => name === pod)?.node;
        const [first] = await podsInCohorts(scene);
        const node = nodeOf(first);
        must(first !== undefined && node !== undefined, 'no pod goes first');
        await replace(scene, first, () => pods().length === nodes);
        const seen = new Set<string>();
        for (;;) {
          await scene.wait(200);
          const { phase, verdict } = await operation.view();
          if (phase === 'over') break;
          must(phase !== 'holding' || verdict?.kind === 'no-traffic', `it holds for ${verdict?.words}`);
          if (phase === 'holding') await operation.answer('reviewer', 'meshops:continue');
          // While a step is written it has only some of its pods.
          if (phase !== 'watching') continue;
          const now = (await podsInCohorts(scene)).map((pod) => `${nodeOf(pod)}`);
          if (now.length > 0) seen.add(now.toSorted().join());
        }
        ended(await operation.result(), 'completed');
        must(seen.size > 0 && [...seen].every((one) => one.split(',').includes(node)), `${[...seen].join(' / ')} went first, not ${node}`);
        must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
        return { operation, extra: { node, cohorts: [...seen] } };
      }),
  },
];
