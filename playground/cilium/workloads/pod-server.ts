/** The HTTP server of one demo pod: answers who it is, slowly or wrongly when told to. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Delay } from '../delays.ts';
import { draw } from '../delays.ts';
import { createRandom } from '../random.ts';
import type { Fault } from './fault.ts';
import { healthy } from './fault.ts';
import type { DoorEvents, DoorState } from './gateway-door.ts';
import { openDoor } from './gateway-door.ts';

// How long a pod waits for what it depends on before it answers 503.
const starvedMs = 1_000;

export interface PodServer {
  readonly port: number;
  /** Where the gateway's proxy connects. */
  readonly gatewayPort: number;
  /** What happens to those who come through the gateway's proxy. */
  setDoor(state: DoorState): void;
  /** `true`: something it depends on is out of reach, so every answer is 503 after the time it waits for that. */
  setStarved(starved: boolean): void;
  /** Applies a fault from the next request on; `crashed` closes the port at once, its end opens it again. */
  setFault(fault: Fault): Promise<void>;
  close(): Promise<void>;
}

export interface PodServerOptions {
  readonly name: string;
  readonly version: string;
  readonly serviceTime: Delay;
  readonly seed: number;
  readonly doorEvents: DoorEvents;
}

/** Starts a pod's server on a free loopback port, which it keeps through crashes. */
export const servePod = async (options: PodServerOptions): Promise<PodServer> => {
  const random = createRandom(options.seed);
  const timers = new Set<NodeJS.Timeout>();
  let fault = healthy;
  const hung = new Set<Socket>();
  let starved = false;

  const later = (ms: number, run: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume();
    const dice = random();
    if (dice < fault.hangRate) {
      hung.add(request.socket);
      return;
    }
    if (dice < fault.hangRate + fault.resetRate) {
      request.socket.resetAndDestroy();
      return;
    }
    const failed = starved || random() < fault.errorRate;
    const code = starved ? 503 : failed ? fault.status : 200;
    later((starved ? starvedMs : 0) + fault.latencyMs + draw(options.serviceTime, random), () => {
      response.writeHead(code, { 'content-type': 'application/json', 'x-pod': options.name });
      response.end(JSON.stringify({ pod: options.name, version: options.version, ok: !failed }));
    });
  };

  // One HTTP server for both ways in: the door hands its connections over, and sees their requests first.
  const fromGateway = new WeakSet<Socket>();
  const adopt = (socket: Socket): void => {
    fromGateway.add(socket);
    server.emit('connection', socket);
    socket.resume();
  };
  const door = await openDoor(adopt, answer, options.doorEvents);
  const route = (request: IncomingMessage, response: ServerResponse): void =>
    (fromGateway.has(request.socket) ? door.watch : answer)(request, response);
  const server = createServer({ keepAliveTimeout: 60_000 }, route);
  const listen = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve((server.address() as AddressInfo).port);
      });
    });
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      server.close(() => resolve());
      server.closeAllConnections();
    });
    await door.close();
  };

  const port = await listen(0);
  return {
    port,
    gatewayPort: door.port,
    setDoor: (state) => door.set(state),
    setStarved: (now) => {
      starved = now;
    },
    setFault: async (next) => {
      const before = fault;
      fault = next;
      // What hung ends with the fault: the next story must not find it.
      if (next.hangRate === 0) for (const socket of hung) socket.destroy();
      if (next.hangRate === 0) hung.clear();
      if (next.crashed && !before.crashed) await close();
      if (!next.crashed && before.crashed) {
        await listen(port);
        await door.listen(door.port);
      }
    },
    close,
  };
};
