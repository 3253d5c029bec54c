import { gatewayAddress, meshNodes } from '../cilium/nodes.ts';

/** Where the control plane, the product and Slack are, as the nodes see them: the bridge between them. */
export const CONTROL_ADDRESS = '172.18.0.1';

/** The real nodes: the first two of the demo mesh, with its names and addresses. */
export const realNodes = meshNodes.slice(0, 2);

/** The Gateway's, which the first node answers for. */
export const GATEWAY_ADDRESS = gatewayAddress(0);

/** Networks outside of the cluster, all of them in one namespace that answers for every address. */
export const OUTSIDE = ['198.51.100.0/24', '203.0.113.0/24'] as const;
export const OUTSIDE_ROUTER = '172.18.0.100';

/** A named network namespace, as a path. */
export const netnsPath = (name: string): string => `/run/netns/${name}`;
export const OUTSIDE_NETNS = 'outside';
