import { type PlanDeps } from '../../activities/policy/deps.ts';
import { planPolicy } from '../../activities/policy/plan.ts';
import type { Flow } from '../../src/clients/hubble/flow.ts';
import { sharingEnds } from '../../src/clients/hubble/ring.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlanInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationRequest } from '../../src/domain/lifecycle/operation.ts';
import { SILENT } from '../../src/log.ts';
import type { TestCluster } from '../../test/activities/support/cluster.ts';
import { endpointOf, NAMESPACE, policyOf } from './stages-words.ts';

/** Flows that the rings of all agents hold for the dry-run of a plan. */
const FLOWS = 50_000;
const NODES = 100;

/** What a plan asks for beside pods: the Deployment, and Cilium's settings. */
export async function arrangePlan(api: TestCluster): Promise<void> {
  const data = { 'cluster-name': 'default', 'enable-hubble': 'true' };
  await api.admin('POST', '/api/v1/namespaces/kube-system/configmaps', { metadata: { name: 'cilium-config' }, data });
  const labels = { app: 'app' };
  const containers = [{ name: 'app', image: 'x' }];
  await api.admin('POST', `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, {
    metadata: { name: 'app' },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
}

/** Plans a policy for every pod of the namespace: reading, checks, way, dry-run on recorded flows, what it opens and closes, every write tried. */
export async function planOnce(cluster: Cluster, flows: readonly Flow[], turn: number, signal: AbortSignal): Promise<void> {
  const deps: PlanDeps = {
    cluster,
    now: Date.now,
    log: SILENT,
    flows: { check: async () => [{ node: 'node-1' }] } as unknown as PlanDeps['flows'],
    audit: { holds: async () => false, lastCompleted: async () => undefined },
    rings: async () => ({ flows, lost: 0, reachesTo: 0, nodes: NODES, gaps: [], cut: false }),
  } as unknown as PlanDeps;
  const result = await planPolicy(deps, inputOf(turn), signal);
  if (result.kind !== 'plan') throw new Error(result.words);
}

function inputOf(turn: number): PlanInput {
  const { status: _, ...document } = policyOf() as JsonObject;
  const spec = {
    endpointSelector: { matchLabels: { app: 'app' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { app: 'app' } }], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] }],
    egress: [{ toEntities: ['cluster'] }, { toCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }] }],
  };
  // A file that nobody has planned yet: what was found for one is kept.
  const candidate = { document: { ...document, metadata: { name: 'shop' }, spec }, sha256: `${turn}`.padStart(64, '0'), source: 'a file' };
  const request = {
    requestId: `plan-${turn}`,
    verb: 'policy',
    target: { cluster: 'bench', namespace: NAMESPACE, name: 'app' },
    change: { kind: 'enforce', candidate },
    requester: { id: 'operator@example.com', name: 'Operator', kubernetes: { user: 'operator', groups: ['system:masters'] } },
    settings: { gates: [], realiseMs: 10_000 },
  } as unknown as OperationRequest;
  return { opId: `policy-plan-${turn}`, firstStage: 1, request };
}

/** What the agents still hold of the last minute. */
export function recorded(): readonly Flow[] {
  const labelsOf = (number: number): readonly string[] => {
    const { identity } = (endpointOf(number) as { readonly status: { readonly identity: { readonly labels: readonly string[] } } }).status;
    return identity.labels;
  };
  const keep = sharingEnds();
  return Array.from({ length: FLOWS }, (_, index): Flow => {
    const end = (number: number) => ({ identity: 12_345, namespace: NAMESPACE, labels: labelsOf(number), pod_name: `app-${number}` });
    const [from, to] = [index % 3_000, (index * 7) % 3_000];
    return keep({
      time: { seconds: Math.floor(Date.now() / 1_000) - 60 },
      verdict: 'FORWARDED',
      event_type: { type: 5 },
      IP: { source: `10.1.${from >> 8}.${from & 255}`, destination: `10.1.${to >> 8}.${to & 255}` },
      l4: { TCP: { source_port: 1_024 + (index % 60_000), destination_port: index % 3 === 0 ? 9_090 : 8_080, flags: { SYN: true } } },
      source: end(from),
      destination: end(to),
      traffic_direction: 'INGRESS',
      is_reply: { value: false },
      node_name: `node-${index % NODES}`,
    });
  });
}
