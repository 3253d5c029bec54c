/** The three nodes of the demo mesh and the addresses on them. */
export interface MeshNode {
  readonly name: string;
  /** 1-based; pods of this node are 10.244.<index>.x. */
  readonly index: number;
  readonly hostAddress: string;
  readonly podCidr: string;
  /** Where the gateway's Envoy on this node sends from: the address that carries the reserved identity `ingress`. */
  readonly ingressAddress: string;
}

export const meshNodes: readonly MeshNode[] = [1, 2, 3].map((index) => ({
  name: `node-${index}`,
  index,
  hostAddress: `172.18.0.${index + 1}`,
  podCidr: `10.244.${index}.0/24`,
  ingressAddress: `10.244.${index}.2`,
}));

/** The node whose Envoy carries the Gateway's traffic: with L2 announcements one node answers for the address. */
export const gatewayNode = 'node-1';

/** The address that the nth Gateway (from 0) gets from the load-balancer pool. */
export const gatewayAddress = (nth: number): string => `172.18.255.${200 + nth}`;
