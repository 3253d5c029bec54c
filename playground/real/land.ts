import { join } from 'node:path';
import type { MeshNode } from '../cilium/nodes.ts';
import { cacheRoot, type Env } from '../cluster/cache.ts';
import { run } from '../cluster/command.ts';
import { CONTROL_ADDRESS, GATEWAY_ADDRESS, OUTSIDE, OUTSIDE_NETNS, OUTSIDE_ROUTER } from './addresses.ts';
import { OWN_CGROUP } from './enter.ts';

/** Lays the ground inside: folders that hide the machine's own, the bridge, a namespace for each node, and the world outside of the cluster. */
export async function layLand(nodes: readonly MeshNode[], env: Env, signal: AbortSignal): Promise<void> {
  const runs = join(cacheRoot(env), 'runs');
  await shell([...mounts(runs), ...control(), ...nodes.flatMap(node), ...outside(nodes)], env, signal);
}

function mounts(runs: string): readonly string[] {
  return [
    // Nodes have mount namespaces of their own, and must see the pods' network namespaces that are made here.
    'mount --make-rshared /',
    'mount -t tmpfs -o mode=755 tmpfs /run',
    'mkdir -p /run/netns /run/cilium /run/lock',
    `mkdir -p ${OWN_CGROUP} && mount -t cgroup2 cgroup2 ${OWN_CGROUP}`,
    // Runs of other starts on this machine are not to be taken for left over ones: their processes cannot be seen from here.
    `mkdir -p '${runs}' && mount -t tmpfs -o mode=755 tmpfs '${runs}'`,
  ];
}

function control(): readonly string[] {
  return [
    'ip link set lo up',
    'ip link add name br0 type bridge',
    `ip address add ${CONTROL_ADDRESS}/16 dev br0`,
    'ip link set br0 up',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    'echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects',
    'echo 0 > /proc/sys/net/ipv4/conf/br0/send_redirects',
    // Packets between nodes are none of this namespace's business.
    'if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables; fi',
    ...OUTSIDE.map((network) => `ip route add ${network} via ${OUTSIDE_ROUTER}`),
  ];
}

function plugged(name: string, port: string, address: string): readonly string[] {
  return [
    `ip netns add ${name}`,
    `ip -n ${name} link set lo up`,
    `ip link add name ${port} type veth peer name eth0 netns ${name}`,
    `ip link set ${port} master br0 up`,
    `ip -n ${name} address add ${address}/16 dev eth0`,
    `ip -n ${name} link set eth0 up`,
    `ip -n ${name} route add default via ${CONTROL_ADDRESS}`,
  ];
}

function node({ name, index, hostAddress }: MeshNode, nth: number): readonly string[] {
  return [
    ...plugged(name, `port${index}`, hostAddress),
    ...(nth === 0 ? [`ip -n ${name} address add ${GATEWAY_ADDRESS}/32 dev eth0`] : []),
  ];
}

function outside(nodes: readonly MeshNode[]): readonly string[] {
  return [
    ...plugged(OUTSIDE_NETNS, 'port0', OUTSIDE_ROUTER),
    ...OUTSIDE.map((network) => `ip -n ${OUTSIDE_NETNS} route add local ${network} dev lo`),
    // Answers come from a node's address or a pod's, by whatever way.
    ...nodes.map(({ podCidr, hostAddress }) => `ip -n ${OUTSIDE_NETNS} route add ${podCidr} via ${hostAddress}`),
  ];
}

/** Runs commands one after the other and rejects with the first that fails and what it said. */
export async function shell(commands: readonly string[], env: Env, signal: AbortSignal): Promise<void> {
  const result = await run({ program: 'sh', args: ['-exc', commands.join('\n')], env, signal });
  if (result.code === 0) return;
  throw new Error(`The nodes' ground could not be laid: ${result.tail.trim().split('\n').slice(-3).join(' / ')}`);
}
