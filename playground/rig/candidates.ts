import { GOOD } from '../scenarios/stories/policy-candidates.ts';
import type { Rig } from './rig.ts';

/** Lets nobody but frontend in: the backend, which asks the database all the time, is forgotten. */
const FORGETS_BACKEND = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: database, namespace: database }
spec:
  endpointSelector: { matchLabels: { app: database } }
  ingress:
    - fromEndpoints: [{ matchLabels: { k8s:io.kubernetes.pod.namespace: frontend, app: frontend } }]
`;

/** Policies that whoever opens the page can roll out as typed: one that is right, and one that forgets a client. */
export async function offerCandidates({ stack }: Pick<Rig, 'stack'>, signal: AbortSignal): Promise<void> {
  for (const [workload, yaml] of Object.entries({ frontend: GOOD, database: FORGETS_BACKEND })) {
    const name = `${workload}-policy`;
    const labels = { 'meshops.dev/policy': workload };
    const answer = await stack.kube.api({
      method: 'PATCH',
      path: `/api/v1/namespaces/${workload}/configmaps/${name}?fieldManager=playground&force=true`,
      body: JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: workload, labels },
        data: { 'policy.yaml': yaml },
      }),
      contentType: 'application/apply-patch+yaml',
      signal,
    });
    if (answer.status >= 300) throw new Error(`The API server refused ConfigMap ${name} (${answer.status}): ${answer.body.slice(0, 300)}`);
  }
}
