/** The pods' servers as the main thread sees them: which local port answers for which pod, and what is wrong with it. */
import { Worker } from 'node:worker_threads';
import type { Delay } from '../delays.ts';
import type { PodPorts } from '../pod-book.ts';
import { seedFor } from '../random.ts';
import type { Fault } from './fault.ts';
import type { PodsData, PodsReply, PodsRequest } from './messages.ts';

type WithoutId<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never;

export interface Pods {
  /** Opens a server for a pod; the ports stay the pod's until `close`. */
  open(pod: string, version: string): Promise<PodPorts>;
  setFault(pod: string, fault: Fault): Promise<void>;
  close(pod: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the thread that hosts every pod. */
export const startPods = (serviceTime: Delay, seed: number, onError: (error: unknown) => void): Pods => {
  const data: PodsData = { serviceTime };
  const worker = new Worker(new URL('pods-thread.ts', import.meta.url), { workerData: data });
  const waiting = new Map<number, { readonly resolve: (reply: PodsReply) => void; readonly reject: (error: Error) => void }>();
  let next = 0;
  worker.on('error', onError);
  worker.on('message', (reply: PodsReply) => {
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error === undefined) waiter?.resolve(reply);
    else waiter?.reject(new Error(reply.error));
  });
  worker.on('exit', () => {
    for (const waiter of waiting.values()) waiter.reject(new Error('The pods are stopped.'));
    waiting.clear();
  });
  const ask = (message: WithoutId<PodsRequest>): Promise<PodsReply> =>
    new Promise((resolve, reject) => {
      next += 1;
      waiting.set(next, { resolve, reject });
      worker.postMessage({ ...message, id: next });
    });
  return {
    open: async (pod, version) => {
      const { port = 0, gatewayPort = port } = await ask({ do: 'open', pod, version, seed: seedFor(seed, pod) });
      return { port, gatewayPort };
    },
    setFault: async (pod, fault) => void (await ask({ do: 'fault', pod, fault })),
    close: async (pod) => void (await ask({ do: 'close', pod })),
    stop: async () => void (await worker.terminate()),
  };
};
