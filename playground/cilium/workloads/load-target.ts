/** What the load calls, and how: plain requests over HTTP/1.1, or gRPC calls. */
import { Agent, request } from 'node:http';
import type { Random } from '../random.ts';

export type LoadTarget =
  | {
      readonly protocol: 'http';
      /** One by chance for each request: a Service of the mesh is reached through the Envoy of each client's node. */
      readonly urls: readonly string[];
      readonly host: string;
      readonly userAgent: string;
      readonly paths: readonly string[];
    }
  | { readonly protocol: 'grpc'; readonly url: string; readonly authority: string; readonly path: string };

export interface Sender {
  /** Sends one request; `done` hears once whether there was any answer. */
  send(done: (answered: boolean) => void): void;
  close(): void;
}

export interface SenderOptions {
  readonly maxInFlight: number;
  /** How long a client waits for an answer, in milliseconds. */
  readonly patienceMs: number;
  readonly random: Random;
}

type Target<P extends LoadTarget['protocol']> = Extract<LoadTarget, { protocol: P }>;

function httpSender({ urls, host, userAgent, paths }: Target<'http'>, { maxInFlight, patienceMs, random }: SenderOptions): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: maxInFlight });
  const headers = { host, 'user-agent': userAgent };
  const pick = (list: readonly string[]): string => (list.length > 1 ? list[Math.floor(random() * list.length)] : list[0]) ?? '/';
  return {
    send: (done) => {
      let answered = false;
      const outgoing = request(new URL(pick(paths), pick(urls)), { agent, headers, timeout: patienceMs }, (response) => {
        answered = true;
        response.resume();
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
      // Refused and reset connections are the demo's faults at work; the count says so.
      outgoing.on('error', () => undefined);
      outgoing.on('close', () => done(answered));
      outgoing.end();
    },
    close: () => agent.destroy(),
  };
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** A real gRPC client; its library is loaded only where it is used. */
async function grpcSender({ url, authority, path }: Target<'grpc'>, { patienceMs }: SenderOptions): Promise<Sender> {
  const { Client, credentials } = await import('@grpc/grpc-js');
  const client = new Client(new URL(url).host, credentials.createInsecure(), {
    'grpc.default_authority': authority,
    'grpc.enable_retries': 0,
    'grpc.max_reconnect_backoff_ms': 500,
  });
  return {
    send: (done) => {
      const deadline = Date.now() + patienceMs;
      client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), { deadline }, (error) => done(error === null));
    },
    close: () => client.close(),
  };
}

/** Opens a way to the target; nothing is sent yet. */
export async function openSender(target: LoadTarget, options: SenderOptions): Promise<Sender> {
  return target.protocol === 'grpc' ? grpcSender(target, options) : httpSender(target, options);
}
