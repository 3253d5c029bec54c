// Reads what a cluster says of its encryption. Nothing is changed, no secret is read, no pod is entered.
import { type Cluster, ciliumConfigOf } from '../../clients/kubernetes/cluster.ts';
import { ClusterFailure, isFailure } from '../../clients/kubernetes/failure.ts';
import {
  CILIUM_ENDPOINT,
  CILIUM_NODE,
  CILIUM_NODE_CONFIG,
  type ConfigMap,
  DAEMON_SET,
  type KubeObject,
  NODE,
  POD,
  type Resource,
} from '../../clients/kubernetes/objects.ts';
import type { AgentFacts, AgentSet, EncryptionFacts, NodeFacts, NodeOverride } from '../../domain/encryption/facts.ts';
import { ENCRYPTION_KEYS } from '../../domain/encryption/mode.ts';
import { gitOpsSource, sourceName } from '../../domain/gitops/source.ts';
import type { AgentPod, DaemonSet, Endpoint, NodeConfig, NodeObject, NodeOfCilium } from './objects.ts';
import { lastWrite, writtenBy } from './written.ts';

const RELEASE = 'meta.helm.sh/release-name';
const PUBLIC_KEY = 'network.cilium.io/wg-pub-key';
/** The chart's labels (cilium-agent/daemonset.yaml). */
const AGENTS = 'k8s-app=cilium';
const KEY_SECRET = 'cilium-ipsec-keys';
const AGENT = 'cilium-agent';
/** Lists of one request each; a large cluster has hundreds of pages. Milliseconds for one page. */
const DEADLINE_MS = 10_000;

/** What may be read: the rest is said as not known. */
export type Reads = Pick<Cluster, 'read' | 'list' | 'ciliumNamespace'>;

/**
 * Everything that status, advice and plans go by. Rejects when there is no cilium-config, or the API server does not answer. What this
 * account may not read is left out, and named in `unread`.
 */
export async function readEncryptionFacts(cluster: Reads, name: string, now: number, signal: AbortSignal): Promise<EncryptionFacts> {
  const ref = ciliumConfigOf(cluster);
  const { namespace } = ref;
  const unread: string[] = [];
  const optional = async <T extends KubeObject>(what: string, resource: Resource, where: Where): Promise<readonly T[] | undefined> => {
    try {
      return (await cluster.list<T>(resource, where, { signal, deadlineMs: DEADLINE_MS })).items;
    } catch (error) {
      if (!isFailure(error, 'Forbidden', 'NotFound')) throw error;
      unread.push(what);
      return undefined;
    }
  };
  const [map, ciliumNodes, set, overrides, pods, nodes, endpoints] = await Promise.all([
    cluster.read<ConfigMap>(ref, { signal, deadlineMs: DEADLINE_MS }),
    cluster.list<NodeOfCilium>(CILIUM_NODE, {}, { signal, deadlineMs: DEADLINE_MS }),
    readSet(cluster, namespace, signal, unread),
    optional<NodeConfig>('CiliumNodeConfigs', CILIUM_NODE_CONFIG, { namespace }),
    optional<AgentPod>('agents', POD, { namespace, labelSelector: AGENTS }),
    optional<NodeObject>('Nodes', NODE, {}),
    optional<Endpoint>('CiliumEndpoints', CILIUM_ENDPOINT, {}),
  ]);
  if (!map) {
    const words = `There is no ConfigMap ${namespace}/${ref.name}: Cilium is not installed there, or ciliumNamespace is another.`;
    throw new ClusterFailure('NotFound', words);
  }
  const written = writtenBy(map, 'data', ENCRYPTION_KEYS);
  const changedAt = written.at ?? lastWrite(map, 'data');
  const git = gitOpsSource(map.metadata);
  const release = map.metadata.annotations?.[RELEASE] ?? set?.metadata.annotations?.[RELEASE];
  return {
    cluster: name,
    namespace,
    readAt: now,
    config: map.data ?? {},
    ...(changedAt !== undefined && { changedAt }),
    writers: written.by,
    overrides: (overrides ?? []).map(overrideOf),
    ...(set && { agents: agentsOf(set) }),
    ...(release !== undefined && { helm: { release } }),
    ...(git && { git: sourceName(git) }),
    nodes: nodesOf({ ciliumNodes: ciliumNodes.items, pods, nodes, endpoints }),
    unread: unread.toSorted(),
  };
}

type Where = Parameters<Cluster['list']>[1];

async function readSet(cluster: Reads, namespace: string, signal: AbortSignal, unread: string[]): Promise<DaemonSet | undefined> {
  try {
    return await cluster.read<DaemonSet>({ ...DAEMON_SET, namespace, name: 'cilium' }, { signal, deadlineMs: DEADLINE_MS });
  } catch (error) {
    if (!isFailure(error, 'Forbidden')) throw error;
    unread.push('the DaemonSet');
    return undefined;
  }
}

function overrideOf(config: NodeConfig): NodeOverride {
  const { nodeSelector = {}, defaults = {} } = config.spec;
  const changedAt = lastWrite(config) ?? timeOf(config.metadata.creationTimestamp);
  return {
    name: config.metadata.name,
    labels: nodeSelector.matchLabels ?? {},
    expressions: (nodeSelector.matchExpressions ?? []).map(({ key, operator, values }) => ({ key, operator, ...(values && { values }) })),
    settings: defaults,
    ...(changedAt !== undefined && { changedAt }),
  };
}

/** What the agents' DaemonSet says of keys and of settings by node (install/kubernetes/cilium/templates/cilium-agent/daemonset.yaml). */
export function agentsOf({ spec }: Pick<DaemonSet, 'spec'>): AgentSet {
  const { containers = [], initContainers = [], volumes = [] } = spec.template?.spec ?? {};
  const build = initContainers.find(({ name }) => name === 'config');
  const words = [...(build?.command ?? []), ...(build?.args ?? [])];
  const option = (name: string): readonly string[] | undefined => {
    const found = words.find((word) => word.startsWith(`--${name}=`));
    return found
      ?.slice(name.length + 3)
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  };
  const sources = option('source');
  const allowed = option('allow-config-keys');
  return {
    image: containers.find(({ name }) => name === AGENT)?.image ?? containers[0]?.image ?? '',
    mountsKeys: volumes.some(({ secret }) => secret?.secretName === KEY_SECRET),
    // Without that container the ConfigMap is mounted as it is (daemon.configSources of the chart).
    readsOverrides: build !== undefined && (sources === undefined || sources.some((source) => source.startsWith('cilium-node-config'))),
    denied: option('deny-config-keys') ?? [],
    ...(allowed && { allowed }),
  };
}

interface NodeParts {
  readonly ciliumNodes: readonly NodeOfCilium[];
  readonly pods: readonly AgentPod[] | undefined;
  readonly nodes: readonly NodeObject[] | undefined;
  readonly endpoints: readonly Endpoint[] | undefined;
}

/** Every CiliumNode with what belongs to it. A Node without one has no agent yet, and is listed too. */
function nodesOf({ ciliumNodes, pods, nodes, endpoints = [] }: NodeParts): readonly NodeFacts[] {
  const byName = new Map((nodes ?? []).map((node) => [node.metadata.name, node]));
  const agents = new Map(
    (pods ?? []).flatMap((pod) => (pod.spec.nodeName === undefined ? [] : [[pod.spec.nodeName, agentOf(pod)] as const])),
  );
  const homes = new Map(ciliumNodes.flatMap((node) => (node.spec.addresses ?? []).map(({ ip }) => [ip, node.metadata.name] as const)));
  const housed = new Map<string, { readonly keys: Record<number, number>; readonly since: number[] }>();
  for (const { status, metadata } of endpoints) {
    const home = homes.get(status?.networking?.node ?? '');
    if (home === undefined) continue;
    const entry = housed.get(home) ?? { keys: {}, since: [] };
    const key = status?.encryption?.key ?? 0;
    entry.keys[key] = (entry.keys[key] ?? 0) + 1;
    const at = timeOf(metadata.creationTimestamp);
    if (at !== undefined) entry.since.push(at);
    housed.set(home, entry);
  }
  const without = (nodes ?? []).filter(({ metadata }) => !ciliumNodes.some((one) => one.metadata.name === metadata.name));
  return [
    ...ciliumNodes.map((one): NodeFacts => {
      const { name, annotations, labels = {} } = one.metadata;
      const node = byName.get(name);
      const { keys = {}, since = [] } = housed.get(name) ?? {};
      const publicKey = annotations?.[PUBLIC_KEY];
      const keySince = publicKey === undefined ? undefined : writtenBy(one, 'metadata.annotations', [PUBLIC_KEY]).at;
      return {
        ...known(node, nodes !== undefined),
        name,
        labels: node?.metadata.labels ?? labels,
        ...agentPart(pods !== undefined, agents.get(name)),
        ...(publicKey !== undefined && { publicKey }),
        key: one.spec.encryption?.key ?? 0,
        ...(keySince !== undefined && { keySince }),
        endpoints: keys,
        podsSince: since,
      };
    }),
    ...without.map(
      (node): NodeFacts => ({
        ...known(node, true),
        name: node.metadata.name,
        labels: node.metadata.labels ?? {},
        key: 0,
        endpoints: {},
        podsSince: [],
      }),
    ),
  ];
}

/** Where Nodes may not be read, a CiliumNode stands for one that is there. */
function known(node: NodeObject | undefined, wereRead: boolean): Pick<NodeFacts, 'ready'> & { readonly kernel?: string } {
  const kernel = node?.status?.nodeInfo?.kernelVersion;
  return { ready: wereRead ? isTrue(node?.status?.conditions, 'Ready') : true, ...(kernel !== undefined && { kernel }) };
}

/** Where agents may not be read, each node is taken to have one: nothing is said of its age. */
function agentPart(wereRead: boolean, agent: AgentFacts | undefined): { readonly agent?: AgentFacts } {
  if (agent) return { agent };
  return wereRead ? {} : { agent: { pod: '', ready: true, image: '' } };
}

function agentOf({ metadata, spec, status }: AgentPod): AgentFacts {
  const startedAt = timeOf(status?.startTime);
  const runningSince = timeOf(status?.containerStatuses?.find(({ name }) => name === AGENT)?.state?.running?.startedAt);
  const { containers = [] } = spec;
  const readyAt = timeOf(status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime);
  return {
    pod: metadata.name,
    ready: metadata.deletionTimestamp === undefined && isTrue(status?.conditions, 'Ready'),
    image: containers.find(({ name }) => name === AGENT)?.image ?? containers[0]?.image ?? '',
    ...(startedAt !== undefined && { startedAt }),
    ...(runningSince !== undefined && { runningSince }),
    // Times of the API are whole seconds.
    ...(readyAt !== undefined && { readyAt: readyAt + 1_000 }),
  };
}

function isTrue(conditions: readonly { readonly type: string; readonly status: string }[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

function timeOf(text: string | undefined): number | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
