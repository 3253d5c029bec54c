import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { keyOf, type Pod } from '../cilium/kube/types.ts';
import type { RealNode } from './node.ts';

/** What a container runtime does for a pod's network: its namespace, and the CNI plugin's ADD and DEL. */
export interface Cni {
  /** The pod's address. */
  add(pod: Pod, netns: string): Promise<string>;
  del(pod: Pod, netns: string): Promise<void>;
}

const WITHIN_MS = 60_000;

const CONFIG = JSON.stringify({
  cniVersion: '0.3.1',
  name: 'cilium',
  type: 'cilium-cni',
  'enable-debug': false,
  'log-file': '/run/cilium/cni.log',
});

export function createCni(node: RealNode, plugin: string, folder: string): Cni {
  const call = (command: 'ADD' | 'DEL', pod: Pod, netns: string): Promise<string> => {
    const { name, namespace = '', uid = '' } = pod.metadata;
    const container = createHash('sha256')
      .update(`${keyOf(pod)} ${uid}`)
      .digest('hex');
    const args = [
      'IgnoreUnknown=1',
      `K8S_POD_NAMESPACE=${namespace}`,
      `K8S_POD_NAME=${name}`,
      `K8S_POD_INFRA_CONTAINER_ID=${container}`,
      `K8S_POD_UID=${uid}`,
    ].join(';');
    const env = {
      PATH: process.env['PATH'] ?? '',
      CNI_COMMAND: command,
      CNI_CONTAINERID: container,
      CNI_NETNS: netns,
      CNI_IFNAME: 'eth0',
      CNI_PATH: folder,
      CNI_ARGS: args,
    };
    return output(node.inside([plugin]), env, CONFIG);
  };
  return {
    add: async (pod, netns) => {
      const { ips } = JSON.parse(await call('ADD', pod, netns)) as { ips: readonly { address: string }[] };
      const [address] = (ips[0]?.address ?? '').split('/');
      if (!address) throw new Error(`cilium-cni gave ${keyOf(pod)} no address.`);
      return address;
    },
    del: async (pod, netns) => void (await call('DEL', pod, netns)),
  };
}

/** Runs a program and resolves with its stdout; what it says on failure is the error. */
export function output(command: readonly string[], env: Readonly<Record<string, string>>, input = ''): Promise<string> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: WITHIN_MS });
    const heard = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      heard.err += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(heard.out);
      else reject(new Error(`${args.at(-1) ?? program} ended with ${code}: ${`${heard.out}${heard.err}`.trim().slice(-500)}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
