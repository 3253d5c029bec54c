import { setTimeout as wait } from 'node:timers/promises';
import { workloadOf } from '../cilium/deployments.ts';
import type { FaultBook } from '../cilium/faults.ts';
import { type Kube, KubeError } from '../cilium/kube/client.ts';
import { resources } from '../cilium/kube/resources.ts';
import { keyOf, type Pod } from '../cilium/kube/types.ts';
import { podStatus } from '../cilium/kubelet.ts';
import type { PodBook, PodFacts } from '../cilium/pod-book.ts';
import { type Fault, healthy } from '../cilium/workloads/fault.ts';
import type { World } from '../cilium/world.ts';
import { netnsPath } from './addresses.ts';
import { type Cni, output } from './cni.ts';
import type { PodProcess } from './pod-process.ts';

export interface RealKubeletOptions {
  readonly kube: Kube;
  readonly world: World;
  /** By node name. */
  readonly cni: ReadonlyMap<string, Cni>;
  readonly pods: PodProcess;
  readonly book: PodBook;
  readonly faults: FaultBook;
  readonly now: () => number;
  /** Runs the loop once more. */
  readonly again: () => void;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

const GRACE_MS = 400;
const DNS = 'k8s-app';

/** A pod's network namespace: its own name would be too long for some tools, and is not unique over time. */
export const netnsOf = (pod: Pod): string => `pod-${pod.metadata.uid ?? pod.metadata.name}`;

/** The kubelets of all nodes, as one loop body: network by Cilium's CNI plugin, a server in the pod's namespace, status. */
export function createRealKubelet(options: RealKubeletOptions) {
  const { kube, world, cni, pods, book, faults } = options;
  const running = new Map<string, Pod>();
  const applied = new Map<string, Fault>();
  const busy = new Set<string>();
  const askedAgain = new Set<string>();

  const report = async (pod: Pod, facts: PodFacts, ready: boolean, crashed: boolean): Promise<void> => {
    await kube
      .merge(resources.pods, pod, { status: podStatus(pod, facts, ready, crashed, options.now()) }, 'status')
      .catch((error: unknown) => {
        if (!(error instanceof KubeError && error.status === 404)) throw error;
      });
  };

  const start = async (pod: Pod): Promise<void> => {
    const key = keyOf(pod);
    const netns = netnsOf(pod);
    const plugin = cni.get(pod.spec.nodeName ?? '');
    if (!plugin) throw new Error(`Pod ${key} is for node ${pod.spec.nodeName}, which is not here.`);
    running.set(key, pod);
    await netnsDo('add', netns);
    await output(['ip', '-n', netns, 'link', 'set', 'lo', 'up'], environment());
    const podIP = await plugin.add(pod, netnsPath(netns));
    const port = pod.spec.containers[0]?.ports?.[0]?.containerPort ?? 8_080;
    if (pod.metadata.labels?.[DNS] === 'kube-dns') await pods.serveDns(key, netnsPath(netns));
    else await pods.serve(key, netnsPath(netns), port, pod.metadata.labels?.['version'] ?? '');
    const local = { port: 0, gatewayPort: 0 };
    const facts = book.enter({ ...pod, status: { ...pod.status, podIP } }, local, workloadOf(pod));
    await report(pod, facts, true, false);
  };

  const takeDown = async (key: string, pod: Pod): Promise<void> => {
    await wait(GRACE_MS, undefined, { signal: options.signal });
    book.leave(key);
    applied.delete(key);
    await pods.close(key);
    await cni.get(pod.spec.nodeName ?? '')?.del(pod, netnsPath(netnsOf(pod)));
    await netnsDo('delete', netnsOf(pod));
    running.delete(key);
    // One that came back under its name waits for that.
    options.again();
  };

  const applyFault = async (pod: Pod, facts: PodFacts): Promise<void> => {
    const fault = faults.of(pod);
    const before = applied.get(facts.key) ?? healthy;
    if (JSON.stringify(fault) === JSON.stringify(before)) return;
    applied.set(facts.key, fault);
    await pods.setFault(facts.key, fault);
    if (fault.crashed !== before.crashed) await report(pod, facts, !fault.crashed, fault.crashed);
  };

  /** One task per pod at a time, off the loop: a pod that takes long to start must not hold the others up. */
  const work = (key: string, task: () => Promise<void>): void => {
    if (busy.has(key)) {
      askedAgain.add(key);
      return;
    }
    busy.add(key);
    task()
      .catch((error: unknown) => {
        if (!options.signal.aborted) options.onError(error);
      })
      .finally(() => {
        busy.delete(key);
        if (askedAgain.delete(key)) options.again();
      });
  };

  return {
    reconcile: async (): Promise<void> => {
      for (const pod of world.pods.objects.values()) {
        const key = keyOf(pod);
        const facts = book.get(key);
        if (pod.metadata.deletionTimestamp !== undefined) work(key, () => kube.remove(resources.pods, pod));
        else if (facts?.uid === pod.metadata.uid && facts) work(key, () => applyFault(pod, facts));
        else if (!facts && pod.spec.nodeName && !running.has(key)) work(key, () => start(pod));
      }
      for (const [key, pod] of running)
        if (book.get(key) && world.pods.objects.get(key)?.metadata.uid !== pod.metadata.uid) work(key, () => takeDown(key, pod));
    },
  };
}

const environment = (): Readonly<Record<string, string>> => ({ PATH: process.env['PATH'] ?? '' });

async function netnsDo(what: 'add' | 'delete', name: string): Promise<void> {
  await output(['ip', 'netns', what, name], environment());
}
