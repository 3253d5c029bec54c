/** Worker thread: the servers of every pod, away from the main thread so that its work does not show up as latency. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DoorEvents } from './gateway-door.ts';
import type { DoorEvent, PodsData, PodsReply, PodsRequest } from './messages.ts';
import { type PodServer, servePod } from './pod-server.ts';

const { serviceTime } = workerData as PodsData;
const servers = new Map<string, PodServer>();

const asked = new Map<number, (permits: boolean) => void>();
let asks = 0;

const tell = (event: DoorEvent): void => parentPort?.postMessage(event);

function doorEventsOf(pod: string): DoorEvents {
  return {
    opened: (port) => tell({ door: 'opened', pod, port }),
    closed: (port) => tell({ door: 'closed', pod, port }),
    unheard: (port) => tell({ door: 'unheard', pod, port }),
    ask: (port, request) =>
      new Promise((resolve) => {
        asks += 1;
        asked.set(asks, resolve);
        tell({ door: 'ask', pod, port, ask: asks, request });
      }),
    answered: (port, request, status, latencyMs) => tell({ door: 'answered', pod, port, request, status, latencyMs }),
  };
}

async function handle(message: PodsRequest): Promise<PodsReply> {
  switch (message.do) {
    case 'open': {
      const server = await servePod({
        name: message.pod,
        version: message.version,
        protocol: message.protocol,
        serviceTime,
        seed: message.seed,
        doorEvents: doorEventsOf(message.pod),
      });
      servers.set(message.pod, server);
      return { id: message.id, port: server.port, gatewayPort: server.gatewayPort };
    }
    case 'fault':
      await servers.get(message.pod)?.setFault(message.fault);
      return { id: message.id };
    case 'door':
      servers.get(message.pod)?.setDoor(message.state);
      return { id: message.id };
    case 'starve':
      servers.get(message.pod)?.setStarved(message.starved);
      return { id: message.id };
    case 'permit':
      asked.get(message.ask)?.(message.permits);
      asked.delete(message.ask);
      return { id: message.id };
    case 'close':
      await servers.get(message.pod)?.close();
      servers.delete(message.pod);
      return { id: message.id };
    default:
      return message satisfies never;
  }
}

parentPort?.on('message', (message: PodsRequest) => {
  handle(message)
    .catch((error: unknown): PodsReply => ({ id: message.id, error: String(error) }))
    .then((reply) => parentPort?.postMessage(reply))
    .catch((error: unknown) => {
      throw error;
    });
});
