/** Plays the kubelets: starts a server for each pod on a node, reports its address and readiness, takes it down when the pod goes. */
import { setTimeout as wait } from 'node:timers/promises';
import { workloadOf } from './deployments.ts';
import type { FaultBook } from './faults.ts';
import { type Kube, KubeError } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import { keyOf, type Pod } from './kube/types.ts';
import { meshNodes } from './nodes.ts';
import type { PodBook, PodFacts } from './pod-book.ts';
import { type Fault, healthy } from './workloads/fault.ts';
import type { Protocol } from './workloads/pod-protocol.ts';
import type { Pods } from './workloads/pods.ts';
import type { World } from './world.ts';

export interface KubeletOptions {
  readonly kube: Kube;
  readonly world: World;
  readonly pods: Pods;
  readonly book: PodBook;
  readonly faults: FaultBook;
  /** Milliseconds until a started pod is ready, and until a crash is seen. */
  readonly readinessDelay: () => number;
  readonly crashDelay: () => number;
  /** Milliseconds from new labels to a new identity. */
  readonly identityDelay: () => number;
  /** A pod got an identity, or a new one. */
  readonly onIdentity: () => void;
  readonly now: () => number;
  /** Runs the loop once more. */
  readonly again: () => void;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

export interface Kubelet {
  reconcile(): Promise<void>;
}

const graceMs = 400;

const rfc3339 = (ms: number): string => new Date(Math.floor(ms / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');

/** Pod status as a kubelet writes it. */
export function podStatus(pod: Pod, facts: Pick<PodFacts, 'ip' | 'node'>, ready: boolean, crashed: boolean, now: number): object {
  const at = rfc3339(now);
  const host = meshNodes.find((node) => node.name === facts.node)?.hostAddress ?? '';
  const state = crashed
    ? { waiting: { reason: 'CrashLoopBackOff', message: 'back-off restarting failed container' } }
    : { running: { startedAt: at } };
  const condition = (type: string, on: boolean, reason?: string): object => ({
    type,
    status: on ? 'True' : 'False',
    lastTransitionTime: at,
    ...(on || reason === undefined ? {} : { reason }),
  });
  return {
    phase: 'Running',
    hostIP: host,
    hostIPs: [{ ip: host }],
    podIP: facts.ip,
    podIPs: [{ ip: facts.ip }],
    startTime: at,
    conditions: [
      condition('PodScheduled', true),
      condition('Initialized', true),
      condition('ContainersReady', ready, 'ContainersNotReady'),
      condition('Ready', ready, 'ContainersNotReady'),
    ],
    containerStatuses: pod.spec.containers.map((container) => ({
      name: container.name,
      image: container.image,
      imageID: container.image,
      ready,
      started: !crashed,
      restartCount: crashed ? 1 : 0,
      state,
    })),
  };
}

/** A port called `grpc` is of a gRPC server, as meshes read port names. */
function protocolOf(pod: Pod): Protocol {
  return pod.spec.containers.some(({ ports = [] }) => ports.some(({ name = '' }) => /^grpc\b/.test(name))) ? 'grpc' : 'http';
}

/** The kubelets of all nodes as one loop body. */
export function createKubelet(options: KubeletOptions): Kubelet {
  const { kube, world, pods, book, faults } = options;
  const busy = new Set<string>();
  const askedAgain = new Set<string>();
  const applied = new Map<string, Fault>();
  const reported = new Map<string, boolean>();

  const report = async (pod: Pod, facts: PodFacts, ready: boolean, crashed: boolean): Promise<void> => {
    await kube
      .merge(resources.pods, pod, { status: podStatus(pod, facts, ready, crashed, options.now()) }, 'status')
      .catch((error: unknown) => {
        if (!(error instanceof KubeError && error.status === 404)) throw error;
      });
    reported.set(facts.key, ready);
  };

  const start = async (pod: Pod): Promise<void> => {
    const key = keyOf(pod);
    const ports = await pods.open(key, pod.metadata.labels?.['version'] ?? '', protocolOf(pod));
    const facts = book.enter(pod, ports, workloadOf(pod));
    options.onIdentity();
    await wait(options.readinessDelay(), undefined, { signal: options.signal });
    if (book.get(key) === undefined) return;
    await report(pod, facts, true, false);
  };

  const takeDown = async (key: string): Promise<void> => {
    // Its address has left the EndpointSlices; what is under way may finish, as in a pod's termination grace.
    await wait(graceMs, undefined, { signal: options.signal });
    book.leave(key);
    applied.delete(key);
    reported.delete(key);
    await pods.close(key);
  };

  const applyFault = async (pod: Pod, facts: PodFacts): Promise<void> => {
    const key = facts.key;
    const fault = faults.of(pod);
    const before = applied.get(key) ?? healthy;
    if (JSON.stringify(fault) === JSON.stringify(before)) return;
    applied.set(key, fault);
    await pods.setFault(key, { ...fault, crashed: fault.crashed || fault.refused });
    if (fault.crashed === before.crashed) return;
    await wait(fault.crashed ? options.crashDelay() : options.readinessDelay(), undefined, { signal: options.signal });
    const still = applied.get(key) ?? healthy;
    if (book.get(key) && still.crashed === fault.crashed && reported.get(key) !== !fault.crashed)
      await report(pod, facts, !fault.crashed, fault.crashed);
  };

  const changeIdentity = async (key: string): Promise<void> => {
    await wait(options.identityDelay(), undefined, { signal: options.signal });
    const pod = world.pods.objects.get(key);
    if (!pod || !book.isStale(pod)) return;
    book.relabel(pod);
    options.onIdentity();
  };

  /**
   * One task per pod at a time, off the loop: a pod that takes long to start must not hold the others up. What was asked for meanwhile is done
   * by the run of the loop that follows.
   */
  const work = (key: string, task: () => Promise<void>): void => {
    if (busy.has(key)) {
      askedAgain.add(key);
      return;
    }
    busy.add(key);
    task()
      .catch((error: unknown) => {
        if (options.signal.aborted) return;
        askedAgain.add(key);
        options.onError(error);
      })
      .finally(() => {
        busy.delete(key);
        if (askedAgain.delete(key)) options.again();
      });
  };

  const tend = (pod: Pod): void => {
    const key = keyOf(pod);
    const facts = book.get(key);
    if (pod.metadata.deletionTimestamp !== undefined) {
      work(key, () => kube.remove(resources.pods, pod));
    } else if (!facts) {
      if (pod.spec.nodeName) work(key, () => start(pod));
    } else if (facts.uid !== pod.metadata.uid) {
      // It came back under its name before the one before it was down.
      work(key, () => takeDown(key).then(() => start(pod)));
    } else {
      if (book.isStale(pod)) work(`${key}#labels`, () => changeIdentity(key));
      work(`${key}#fault`, () => applyFault(pod, facts));
    }
  };

  return {
    reconcile: async () => {
      for (const pod of world.pods.objects.values()) tend(pod);
      for (const facts of book.all()) {
        if (!world.pods.objects.has(facts.key)) work(facts.key, () => takeDown(facts.key));
      }
    },
  };
}
