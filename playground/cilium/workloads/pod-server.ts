/** The HTTP server of one demo pod: answers who it is, slowly or wrongly when told to. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Delay } from '../delays.ts';
import { draw } from '../delays.ts';
import { createRandom } from '../random.ts';
import type { Fault } from './fault.ts';
import { healthy } from './fault.ts';

export interface PodServer {
  readonly port: number;
  /** Applies a fault from the next request on; `crashed` closes the port at once, its end opens it again. */
  setFault(fault: Fault): Promise<void>;
  close(): Promise<void>;
}

export interface PodServerOptions {
  readonly name: string;
  readonly version: string;
  readonly serviceTime: Delay;
  readonly seed: number;
}

/** Starts a pod's server on a free loopback port, which it keeps through crashes. */
export const servePod = async (options: PodServerOptions): Promise<PodServer> => {
  const random = createRandom(options.seed);
  const timers = new Set<NodeJS.Timeout>();
  let fault = healthy;

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
    if (dice < fault.hangRate) return;
    if (dice < fault.hangRate + fault.resetRate) {
      request.socket.resetAndDestroy();
      return;
    }
    const failed = random() < fault.errorRate;
    const code = failed ? fault.status : 200;
    later(fault.latencyMs + draw(options.serviceTime, random), () => {
      response.writeHead(code, { 'content-type': 'application/json', 'x-pod': options.name });
      response.end(JSON.stringify({ pod: options.name, version: options.version, ok: !failed }));
    });
  };

  const server = createServer({ keepAliveTimeout: 60_000 }, answer);
  const listen = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve((server.address() as AddressInfo).port);
      });
    });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      server.close(() => resolve());
      server.closeAllConnections();
    });

  const port = await listen(0);
  return {
    port,
    setFault: async (next) => {
      const before = fault;
      fault = next;
      if (next.crashed && !before.crashed) await close();
      if (!next.crashed && before.crashed) await listen(port);
    },
    close,
  };
};
