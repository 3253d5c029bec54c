import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Client, type ClientReadableStream, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Flow } from '../../../playground/cilium/flows/flow.ts';

const folder = fileURLToPath(new URL('../../../src/clients/hubble/proto', import.meta.url));

export interface Observed {
  readonly flow?: Flow;
  readonly lost_events?: { readonly source: string; readonly num_events_lost: number };
  readonly node_name: string;
}

interface Api extends Client {
  GetFlows(request: object): ClientReadableStream<Observed>;
  ServerStatus(request: object, done: (error: Error | null, reply: { readonly max_flows: number }) => void): void;
  GetNodes(request: object, done: (error: { readonly code: number } | null) => void): void;
}

/** A client of an agent, as any Hubble client: our proto, TLS by the name that the agents' certificates have; without files plain h2c. */
export function observerAt(address: string, tls?: Readonly<Record<'caFile' | 'certFile' | 'keyFile', string>>): Api {
  const definition = loadSync('observer/observer.proto', { includeDirs: [folder], keepCase: true, longs: Number, enums: String });
  const { observer } = loadPackageDefinition(definition) as unknown as {
    readonly observer: { readonly Observer: new (address: string, credentials: unknown, options?: object) => Api };
  };
  if (!tls) return new observer.Observer(address, credentials.createInsecure());
  const files = credentials.createSsl(readFileSync(tls.caFile), readFileSync(tls.keyFile), readFileSync(tls.certFile));
  return new observer.Observer(address, files, { 'grpc.ssl_target_name_override': 'any.default.hubble-grpc.cilium.io' });
}

/** Everything a stream gives until it ends; an error ends it too. */
export function collect(stream: ClientReadableStream<Observed>): { readonly seen: Observed[]; readonly ended: Promise<string> } {
  const seen: Observed[] = [];
  stream.on('data', (message: Observed) => seen.push(message));
  const ended = new Promise<string>((resolve) => {
    stream.on('end', () => resolve('end'));
    stream.on('error', (error: Error) => resolve(error.message));
  });
  return { seen, ended };
}
