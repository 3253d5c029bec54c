/** The server of one demo pod: answers who it is, slowly or wrongly when told to. */
import type { AddressInfo } from 'node:net';
import { type Delay, draw } from '../delays.ts';
import { createRandom } from '../random.ts';
import { type Fault, healthy } from './fault.ts';
import { type DoorEvents, type DoorState, openDoor, type PodRequest, type PodResponse } from './gateway-door.ts';
import { answerFor, type Protocol, type Speech, speakGrpc, speakHttp } from './pod-protocol.ts';

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
  readonly protocol: Protocol;
  readonly serviceTime: Delay;
  readonly seed: number;
  readonly doorEvents: DoorEvents;
}

/** Starts a pod's server on a free loopback port, which it keeps through crashes. */
export function servePod(options: PodServerOptions): Promise<PodServer> {
  return options.protocol === 'grpc' ? serve(options, speakGrpc) : serve(options, speakHttp);
}

type Route<Request, Response> = (request: Request, response: Response) => void;

async function serve<Request extends PodRequest, Response extends PodResponse>(
  options: PodServerOptions,
  speak: (route: Route<Request, Response>) => Speech<Request, Response>,
): Promise<PodServer> {
  const { name: pod, version } = options;
  const random = createRandom(options.seed);
  const timers = new Set<NodeJS.Timeout>();
  const held = new Set<() => void>();
  let fault = healthy;
  let starved = false;

  const later = (ms: number, run: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  };

  const answer = (request: Request, response: Response): void => {
    request.resume();
    const dice = random();
    if (dice < fault.hangRate) {
      held.add(speech.hold(request));
      return;
    }
    if (dice < fault.hangRate + fault.resetRate) {
      speech.reset(request);
      return;
    }
    const said = { pod, version, ...answerFor(fault, starved, random) };
    later((starved ? starvedMs : 0) + fault.latencyMs + draw(options.serviceTime, random), () => speech.answer(response, said));
  };

  // One server for both ways in: the door hands its connections over, and sees their requests first.
  const fromGateway = new WeakSet<object>();
  const door = await openDoor<Request, Response>(
    (socket) => {
      fromGateway.add(speech.adopt(socket));
      socket.resume();
    },
    answer,
    options.doorEvents,
  );
  const speech = speak((request, response) => (fromGateway.has(speech.carrier(request)) ? door.watch : answer)(request, response));
  const { server } = speech;
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
      speech.closeConnections();
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
      if (next.hangRate === 0) {
        for (const end of held) end();
        held.clear();
      }
      if (next.crashed && !before.crashed) await close();
      if (!next.crashed && before.crashed) {
        await listen(port);
        await door.listen(door.port);
      }
    },
    close,
  };
}
