import { gatewayAddress, type MeshNode, meshNodes } from '../cilium/nodes.ts';

/** Where the control plane, the product and Slack are, as the nodes see them: the bridge between them. */
export const CONTROL_ADDRESS = '172.18.0.1';

/** How many real nodes there may be, the usual number first. */
export const NODE_COUNTS = [2, 3] as const;
export type NodeCount = (typeof NODE_COUNTS)[number];

/** The real nodes: the first of the demo mesh, with its names and addresses. */
export const realNodes = (count: NodeCount): readonly MeshNode[] => meshNodes.slice(0, count);

/** The Gateway's, which the first node answers for. */
export const GATEWAY_ADDRESS = gatewayAddress(0);

/** Networks outside of the cluster, all of them in one namespace that answers for every address. */
export const OUTSIDE = ['198.51.100.0/24', '203.0.113.0/24'] as const;
export const OUTSIDE_ROUTER = '172.18.0.100';

/** A named network namespace, as a path. */
export const netnsPath = (name: string): string => `/run/netns/${name}`;
export const OUTSIDE_NETNS = 'outside';
