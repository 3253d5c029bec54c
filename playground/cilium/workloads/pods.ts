/** The pods' servers as the main thread sees them: which local port answers for which pod, and what is wrong with it. */
import { Worker } from 'node:worker_threads';
import type { Delay } from '../delays.ts';
import type { PodPorts } from '../pod-book.ts';
import { seedFor } from '../random.ts';
import type { Fault } from './fault.ts';
import type { DoorState } from './gateway-door.ts';
import type { DoorEvent, PodsData, PodsReply, PodsRequest } from './messages.ts';
import type { Protocol } from './pod-protocol.ts';

type WithoutId<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never;

export interface Pods {
  /** Opens a server for a pod; the ports stay the pod's until `close`. */
  open(pod: string, version: string, protocol?: Protocol): Promise<PodPorts>;
  setFault(pod: string, fault: Fault): Promise<void>;
  setDoor(pod: string, state: DoorState): Promise<void>;
  /** Something the pod depends on is out of its reach, or back. */
  setStarved(pod: string, starved: boolean): Promise<void>;
  /** Answers an `ask` of a door. */
  permit(ask: number, permits: boolean): Promise<void>;
  /** Hears what happens at the doors from now on. */
  onDoor(listener: (event: DoorEvent) => void): void;
  close(pod: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the thread that hosts every pod. */
export function startPods(serviceTime: Delay, seed: number, onError: (error: unknown) => void): Pods {
  const data: PodsData = { serviceTime };
  const worker = new Worker(new URL('pods-thread.ts', import.meta.url), { workerData: data });
  const waiting = new Map<number, { readonly resolve: (reply: PodsReply) => void; readonly reject: (error: Error) => void }>();
  const listeners: ((event: DoorEvent) => void)[] = [];
  let next = 0;
  worker.on('error', onError);
  worker.on('message', (reply: PodsReply | DoorEvent) => {
    if ('door' in reply) {
      for (const listener of listeners) listener(reply);
      return;
    }
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
    open: async (pod, version, protocol = 'http') => {
      const { port = 0, gatewayPort = port } = await ask({ do: 'open', pod, version, protocol, seed: seedFor(seed, pod) });
      return { port, gatewayPort };
    },
    setFault: async (pod, fault) => void (await ask({ do: 'fault', pod, fault })),
    setDoor: async (pod, state) => void (await ask({ do: 'door', pod, state })),
    setStarved: async (pod, starved) => void (await ask({ do: 'starve', pod, starved })),
    permit: async (id, permits) => void (await ask({ do: 'permit', ask: id, permits })),
    onDoor: (listener) => void listeners.push(listener),
    close: async (pod) => void (await ask({ do: 'close', pod })),
    stop: async () => void (await worker.terminate()),
  };
}
