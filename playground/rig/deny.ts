import type { Api } from '../cluster/api.ts';

const NAME = 'deny-gateway';
const PATH = '/apis/cilium.io/v2/namespaces/backend/ciliumnetworkpolicies';

/** Writes, or removes, a policy that drops what the gateway sends to v2: somebody else's mistake while the canary is watched. */
export async function denyGateway(api: Api, on: boolean): Promise<void> {
  const policy = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: NAME, namespace: 'backend' },
    spec: {
      endpointSelector: { matchLabels: { app: 'backend', version: 'v2' } },
      enableDefaultDeny: { ingress: false, egress: false },
      // On real nodes the Gateway's plain proxy is the node itself to Cilium.
      ingressDeny: [{ fromEntities: ['ingress', 'host', 'remote-node'] }],
    },
  };
  const order = on
    ? ({
        method: 'PATCH',
        path: `${PATH}/${NAME}?fieldManager=playground&force=true`,
        body: JSON.stringify(policy),
        contentType: 'application/apply-patch+yaml',
      } as const)
    : ({ method: 'DELETE', path: `${PATH}/${NAME}` } as const);
  const answer = await api({ ...order, signal: AbortSignal.timeout(10_000) });
  if (answer.status < 300 || (!on && answer.status === 404)) return;
  throw new Error(`The policy was not taken (${answer.status}): ${answer.body.slice(0, 300)}`);
}
