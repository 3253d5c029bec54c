import * as z from 'zod';
import { contains, parsePrefix } from './cidr.ts';
import { decodeError, Metadata } from './document.ts';
import type { Direction, ParsedPolicy, PeerSelector, Peers, PolicyRule, PortMatch } from './policy.ts';
import { isPortName } from './port.ts';
import { portMatch } from './ports.ts';
import {
  CLUSTER_LABEL,
  NAMESPACE_LABEL,
  NAMESPACE_LABELS_PREFIX,
  requirementsOf,
  type Selector,
  selectorError,
  selectorKeys,
  withExpression,
  withLabel,
  withSources,
} from './selector.ts';

/**
 * A Kubernetes NetworkPolicy (https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/), in Cilium's
 * terms: allow rules that put what they select under default deny. Cilium limits its peers to the local cluster as well.
 */
const absent = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined);
const LabelSelector = z.object({
  matchLabels: z
    .record(z.string(), z.string())
    .nullish()
    .transform((value) => value ?? {}),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.string(), values: absent(z.array(z.string())) }))
    .nullish()
    .transform((value) => value ?? []),
});
const Peer = z.object({
  podSelector: absent(LabelSelector),
  namespaceSelector: absent(LabelSelector),
  ipBlock: absent(z.object({ cidr: z.string(), except: absent(z.array(z.string())) })),
});
const Port = z.object({
  protocol: z
    .string()
    .nullish()
    .transform((value) => value ?? 'TCP'),
  port: absent(z.union([z.int(), z.string()])),
  endPort: absent(z.int()),
});
const Document = z.object({
  metadata: Metadata,
  spec: z.object({
    podSelector: z.preprocess((value) => value ?? {}, LabelSelector),
    policyTypes: absent(z.array(z.string())),
    ingress: absent(z.array(z.object({ from: absent(z.array(Peer)), ports: absent(z.array(Port)) }))),
    egress: absent(z.array(z.object({ to: absent(z.array(Peer)), ports: absent(z.array(Port)) }))),
  }),
});

type PeerDocument = z.infer<typeof Peer>;
type PortDocument = z.infer<typeof Port>;

export function parseKubernetesPolicy(
  object: unknown,
  clusterName: string,
  failed: (stage: 'decode' | 'sanitize', error: string) => ParsedPolicy,
): ParsedPolicy {
  const decoded = Document.safeParse(object);
  if (!decoded.success) return failed('decode', decodeError(decoded.error));
  const { metadata, spec } = decoded.data;
  if (metadata.name === '') return failed('sanitize', 'NetworkPolicy must have name');
  const namespace = metadata.namespace || 'default';
  const ingress = (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
  const egress = (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  const error = policyError(spec) ?? [...ingress, ...egress].map(itemError).find((found) => found !== undefined);
  if (error !== undefined) return failed('sanitize', `Invalid NetworkPolicy spec: ${error}`);
  const subject = { node: false, requirements: requirementsOf(inNamespace(withSources(spec.podSelector, 'k8s'), namespace)) };
  const types = spec.policyTypes?.length ? spec.policyTypes : ['Ingress', ...(egress.length > 0 ? ['Egress'] : [])];
  const make = (direction: Direction, items: readonly Item[]): PolicyRule[] => {
    if (!types.includes(direction === 'ingress' ? 'Ingress' : 'Egress')) return [];
    const base = { direction, verdict: 'allow', defaultDeny: true, subject } as const;
    if (items.length === 0) return [{ ...base, path: 'spec.policyTypes', peers: NOBODY, ports: null }];
    return items.map(({ peers, ports }, index) => ({
      ...base,
      path: `spec.${direction}[${index}]`,
      peers: peers?.length
        ? { selectors: peers.map((peer) => peerSelector(peer, namespace, clusterName)), services: [], emptyMembers: [] }
        : EVERYBODY,
      ports: ports?.length ? ports.map(portOf) : null,
    }));
  };
  return {
    ok: true,
    policy: { kind: 'NetworkPolicy', namespace, name: metadata.name, rules: [...make('ingress', ingress), ...make('egress', egress)] },
  };
}

interface Item {
  readonly peers: readonly PeerDocument[] | undefined;
  readonly ports: readonly PortDocument[] | undefined;
}

const NOBODY: Peers = { selectors: [], services: [], emptyMembers: ['other'] };
const EVERYBODY: Peers = { selectors: [{ kind: 'labels', requirements: [] }], services: [], emptyMembers: [] };

function policyError({ podSelector, policyTypes = [] }: z.infer<typeof Document>['spec']): string | undefined {
  const unknown = policyTypes.find((type) => type !== 'Ingress' && type !== 'Egress');
  return unknown === undefined ? selectorError(podSelector) : `policyTypes: "${unknown}" is neither Ingress nor Egress`;
}

function itemError({ peers = [], ports = [] }: Item): string | undefined {
  return [...peers.map(peerError), ...ports.map(portError)].find((found) => found !== undefined);
}

function peerError({ podSelector, namespaceSelector, ipBlock }: PeerDocument): string | undefined {
  if (!podSelector && !namespaceSelector && !ipBlock) return 'a peer must have podSelector, namespaceSelector or ipBlock';
  if (ipBlock && (podSelector || namespaceSelector)) return 'ipBlock may not stand beside a selector';
  if (!ipBlock) return (podSelector && selectorError(podSelector)) ?? (namespaceSelector && selectorError(namespaceSelector));
  const block = parsePrefix(ipBlock.cidr);
  if (!block) return `ipBlock.cidr: "${ipBlock.cidr}" is not a prefix`;
  for (const text of ipBlock.except ?? []) {
    const hole = parsePrefix(text);
    if (!hole || !contains(block, hole) || hole.bits === block.bits)
      return `ipBlock.except: "${text}" does not lie strictly in ${ipBlock.cidr}`;
  }
  return undefined;
}

function portError({ protocol, port, endPort }: PortDocument): string | undefined {
  if (!['TCP', 'UDP', 'SCTP'].includes(protocol)) return `protocol: "${protocol}" is none of TCP, UDP, SCTP`;
  if (typeof port === 'number' && (port < 1 || port > 65_535)) return `port: ${port} is not between 1 and 65535`;
  if (typeof port === 'string' && !isPortName(port)) return `port: "${port}" is not the name of a port`;
  if (endPort === undefined) return undefined;
  if (typeof port !== 'number') return 'endPort needs a numeric port';
  return endPort < port || endPort > 65_535 ? `endPort: ${endPort} is not between ${port} and 65535` : undefined;
}

function portOf({ protocol, port, endPort }: PortDocument): PortMatch {
  return portMatch(String(port ?? 0), endPort ?? 0, protocol, null);
}

/** Beside a namespaceSelector the pods are those of the selected namespaces; alone, those of the policy's own. */
function peerSelector({ podSelector, namespaceSelector, ipBlock }: PeerDocument, namespace: string, clusterName: string): PeerSelector {
  if (ipBlock) return { kind: 'cidr', cidr: ipBlock.cidr, except: ipBlock.except ?? [] };
  const pods = withSources(podSelector ?? { matchLabels: {}, matchExpressions: [] }, 'k8s');
  const local = selectorKeys(pods).includes(`k8s:${CLUSTER_LABEL}`) ? pods : withLabel(pods, `k8s:${CLUSTER_LABEL}`, clusterName);
  if (!namespaceSelector) return { kind: 'labels', requirements: requirementsOf(inNamespace(local, namespace)) };
  const onLabels = {
    matchLabels: Object.fromEntries(
      Object.entries(namespaceSelector.matchLabels).map(([key, value]) => [NAMESPACE_LABELS_PREFIX + key, value]),
    ),
    matchExpressions: namespaceSelector.matchExpressions.map((one) => ({ ...one, key: NAMESPACE_LABELS_PREFIX + one.key })),
  };
  const namespaces = withSources(onLabels, 'k8s');
  const some = selectorKeys(namespaces).length > 0 ? namespaces : withExpression(namespaces, `k8s:${NAMESPACE_LABEL}`, 'Exists');
  return { kind: 'labels', requirements: [...requirementsOf(some), ...requirementsOf(local)] };
}

function inNamespace(selector: Selector, namespace: string): Selector {
  return withLabel(selector, `k8s:${NAMESPACE_LABEL}`, namespace);
}
