/** Who is at an end of a connection: a pod, a node itself, the gateway's proxy, or somebody outside. */
import type { PolicyPeer } from '../../../src/domain/policy/flow.ts';
import { endpointOf } from '../flows/exchange-flows.ts';
import { type FlowEndpoint, reservedIdentities } from '../flows/flow.ts';
import { meshNodes } from '../nodes.ts';
import type { PodFacts } from '../pod-book.ts';

export interface Party {
  readonly kind: 'pod' | 'ingress' | 'host' | 'world';
  /** `namespace/name` of a pod, else `ingress`, `host node-1`, `world 203.0.113.7`. */
  readonly key: string;
  readonly ip: string;
  /** The node it is on; empty for the world. */
  readonly node: string;
  readonly identity: number;
  readonly labels: readonly string[];
  readonly pod?: PodFacts;
  /** DNS names under which others look it up (world only). */
  readonly names?: readonly string[];
}

export function podParty(pod: PodFacts): Party {
  return {
    kind: 'pod',
    key: pod.key,
    ip: pod.ip,
    node: pod.node,
    identity: pod.identity,
    labels: pod.labels,
    pod,
  };
}

const LOCAL_IDENTITY = 1 << 24;

/**
 * Somebody outside of the cluster. Whom an agent knows by a name, since its DNS proxy saw the answer under a rule for names, has an identity of
 * that node's own (v1.20.2 pkg/identity/numericidentity.go: local ones have bit 24).
 */
export function worldParty(ip: string, names: readonly string[] = []): Party {
  return {
    kind: 'world',
    key: `world ${names[0] ?? ip}`,
    ip,
    node: '',
    identity: names.length > 0 ? LOCAL_IDENTITY + Number(ip.split('.').at(-1)) : reservedIdentities.world,
    labels: [...names.map((name) => `fqdn:${name}`), 'reserved:world'],
    names,
  };
}

function nodeOf(name: string) {
  const node = meshNodes.find((each) => each.name === name);
  if (!node) throw new Error(`There is no node ${name}. Use one of: ${meshNodes.map((each) => each.name).join(', ')}.`);
  return node;
}

/** A node itself: its kubelet, for example. */
export function hostParty(node: string): Party {
  return {
    kind: 'host',
    key: `host ${node}`,
    ip: nodeOf(node).hostAddress,
    node,
    identity: reservedIdentities.host,
    labels: ['reserved:host'],
  };
}

/** The gateway's Envoy on a node, as pods see it. */
export function ingressParty(node: string): Party {
  return {
    kind: 'ingress',
    key: 'ingress',
    ip: nodeOf(node).ingressAddress,
    node,
    identity: reservedIdentities.ingress,
    labels: ['reserved:ingress'],
  };
}

/** As policies see it. */
export function peerOf(party: Party): PolicyPeer {
  return {
    labels: party.labels,
    ip: party.ip,
    ...(party.names && party.names.length > 0 ? { fqdns: party.names } : {}),
    ...(party.pod ? { namedPorts: party.pod.ports } : {}),
  };
}

/** As flows reported by `node` show it: endpoint id and workload only for the node's own pods (cilium/cilium #48812). */
export function endOf(party: Party, node: string): FlowEndpoint {
  return party.pod ? endpointOf(party.pod, node) : { identity: party.identity, labels: party.labels };
}
