import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { type Cluster, connectCluster } from '../../src/clients/kubernetes/cluster.ts';
import { CILIUM_ENDPOINT } from '../../src/clients/kubernetes/objects.ts';
import { COHORT_LABEL } from '../../src/domain/policy/stages/rule-document.ts';
import { NAMESPACE, type StagesWord } from './stages-words.ts';

/** Shows the cohort's label in the identities of pods, some time after the label was given. */
let cluster: Cluster | undefined;
const BASE = ['k8s:app=app', `k8s:io.kubernetes.pod.namespace=${NAMESPACE}`, 'k8s:io.cilium.k8s.policy.cluster=default'];

process.on('message', (word: StagesWord) => {
  if (word.word === 'connect') {
    const config = new KubeConfig();
    config.loadFromFile(word.kubeconfig);
    cluster = connectCluster(config);
    return;
  }
  show(word).then(
    () => process.send?.({ word: 'shown' }),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exitCode = 1;
      process.disconnect();
    },
  );
});

async function show({ names, value, afterMs }: Extract<StagesWord, { word: 'show' }>): Promise<void> {
  await sleep(afterMs);
  const labels = value === null ? BASE : [...BASE, `k8s:${COHORT_LABEL}=${value}`];
  const signal = AbortSignal.timeout(30_000);
  for (const name of names) {
    const ref = { ...CILIUM_ENDPOINT, namespace: NAMESPACE, name };
    await cluster?.patch(ref, [{ op: 'replace', path: '/status/identity/labels', value: labels }], { signal });
  }
}
