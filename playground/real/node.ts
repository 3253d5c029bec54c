import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { MeshNode } from '../cilium/nodes.ts';
import { type Component, startComponent } from '../cluster/component.ts';
import { isExecutable } from '../cluster/programs.ts';
import type { Stack } from '../cluster/stack.ts';
import { netnsPath } from './addresses.ts';
import { CGROUP_ROOT, LIBRARY, type Local, STATE, writeAgentConfig } from './config.ts';
import { cgroupProcs, makeCgroup } from './enter.ts';
import { LLVM_BIN } from './packages.ts';
import type { RealPrograms } from './prepare.ts';

/** One node: its namespaces, and the agent in them. */
export interface RealNode {
  readonly node: MeshNode;
  readonly agent: Component;
  /** A command that runs in the node's namespaces. */
  inside(command: readonly string[]): readonly string[];
  /** A file of the node, as a path from here. */
  path(file: string): string;
}

export interface NodeOptions {
  readonly stack: Pick<Stack, 'dir' | 'warden'>;
  readonly programs: RealPrograms;
  readonly config: Readonly<Record<string, string>>;
  readonly local: Local;
  readonly signal: AbortSignal;
}

const HUBBLE_PORT = 4_244;
const GROUND_WITHIN_MS = 10_000;
// It waits for the operator, which makes CRDs first.
const AGENT_WITHIN_MS = 180_000;

/** Whether somebody listens there. */
export function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

/** Starts a node's holder, a process that does nothing but keep its namespaces, then the agent; resolves when its Hubble answers. */
export async function startNode(node: MeshNode, options: NodeOptions): Promise<RealNode> {
  const { stack, programs, signal } = options;
  const folder = join(stack.dir, node.name);
  mkdirSync(folder, { recursive: true });
  makeCgroup(node.name);
  const holder = await startComponent(stack.warden, holderOrder(node, folder, programs.bpf), signal);
  const pid = holder.pid() ?? 0;
  const inside = (command: readonly string[]): readonly string[] => ['nsenter', '-t', String(pid), '-m', '-n', '-C', '--', ...command];
  const configFolder = join(folder, 'config');
  // The proxy here is a plain Envoy, which is given its configuration by the playground: to the agent there is none.
  await writeAgentConfig(configFolder, { ...options.config, 'enable-envoy-config': 'false', 'enable-gateway-api': 'false' }, options.local);
  const command = inside([programs.agent, `--config-dir=${configFolder}`]);
  const agent = await startComponent(
    stack.warden,
    {
      name: `cilium-agent ${node.name}`,
      command: 'sh',
      args: ['-c', `echo $$ > ${cgroupProcs(node.name)} && exec "$@"`, 'sh', ...command],
      env: {
        PATH: `${LLVM_BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        HOME: folder,
        K8S_NODE_NAME: node.name,
        CILIUM_K8S_NAMESPACE: 'kube-system',
      },
      cwd: folder,
      logFile: join(stack.dir, `cilium-agent-${node.name}.log`),
      readyWithinMs: AGENT_WITHIN_MS,
      ready: () => answers(node.hostAddress, HUBBLE_PORT),
    },
    signal,
  );
  return { node, agent, inside, path: (file) => `/proc/${pid}/root${file}` };
}

function holderOrder(node: MeshNode, folder: string, bpf: string) {
  const ready = join(folder, 'ready');
  const ground = [
    'set -e',
    // Of the node's own network namespace.
    'mount -t sysfs sysfs /sys',
    'mount -t bpf bpf /sys/fs/bpf',
    `mount -t tmpfs -o mode=755 tmpfs ${STATE}`,
    `mkdir -p ${CGROUP_ROOT} ${LIBRARY}/bpf`,
    `mount -t cgroup2 cgroup2 ${CGROUP_ROOT}`,
    `mount --bind ${bpf} ${LIBRARY}/bpf`,
    // A program, so that being ready can be asked for like any other file.
    `install -m 755 /dev/null ${ready}`,
    'exec sleep infinity',
  ].join('\n');
  const enter = `echo $$ > ${cgroupProcs(node.name)} && exec nsenter --net=${netnsPath(node.name)} unshare --mount --cgroup --propagation slave sh -c "$1"`;
  return {
    name: node.name,
    command: 'sh',
    args: ['-c', enter, 'sh', ground],
    logFile: join(folder, 'holder.log'),
    readyWithinMs: GROUND_WITHIN_MS,
    ready: async () => isExecutable(ready),
  };
}
