/** Worker thread: the HTTP servers of every pod, away from the main thread so that its work does not show up as latency. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PodsData, PodsReply, PodsRequest } from './messages.ts';
import type { PodServer } from './pod-server.ts';
import { servePod } from './pod-server.ts';

const { serviceTime } = workerData as PodsData;
const servers = new Map<string, PodServer>();

const handle = async (message: PodsRequest): Promise<PodsReply> => {
  switch (message.do) {
    case 'open': {
      const server = await servePod({ name: message.pod, version: message.version, serviceTime, seed: message.seed });
      servers.set(message.pod, server);
      return { id: message.id, port: server.port };
    }
    case 'fault':
      await servers.get(message.pod)?.setFault(message.fault);
      return { id: message.id };
    case 'close':
      await servers.get(message.pod)?.close();
      servers.delete(message.pod);
      return { id: message.id };
    default:
      return message satisfies never;
  }
};

parentPort?.on('message', (message: PodsRequest) => {
  handle(message)
    .catch((error: unknown): PodsReply => ({ id: message.id, error: String(error) }))
    .then((reply) => parentPort?.postMessage(reply))
    .catch((error: unknown) => {
      throw error;
    });
});
