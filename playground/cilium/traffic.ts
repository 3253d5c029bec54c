/** Everything that sends: requests through the Gateway, calls between pods, the kubelets' probes, and clients on demand. */

import { type Caller, createCaller } from './connections/caller.ts';
import { type Clients, createClients } from './connections/clients.ts';
import { demoHops, outsideApi } from './connections/demo-hops.ts';
import { watchDependency } from './connections/dependencies.ts';
import { createDirectory, type Directory } from './connections/directory.ts';
import { holdConnection } from './connections/held.ts';
import { type Hops, startHops } from './connections/hops.ts';
import { startProbes } from './connections/probes.ts';
import { createResolver, type Resolver } from './connections/resolver.ts';
import { startScan } from './connections/scanner.ts';
import type { Ground } from './ground.ts';
import type { Kube } from './kube/client.ts';
import type { Plane } from './plane.ts';
import { seedFor } from './random.ts';
import { type LoadThread, startLoadThread } from './workloads/load-handle.ts';

export interface Traffic {
  readonly load: LoadThread;
  readonly hops: Hops;
  readonly clients: Clients;
  readonly resolver: Resolver;
}

export interface Rates {
  readonly requestsPerSecond: number;
  readonly connectionsPerSecond: number;
}

/** Of every load: requests in flight, and how long a client waits (ms). */
export const loadLimits = { maxInFlight: 256, patienceMs: 10_000 } as const;
const paths = ['/', '/items', '/items/1', '/checkout', '/search?q=shoes'];

interface Talk {
  readonly directory: Directory;
  readonly resolver: Resolver;
  readonly caller: Caller;
}

async function setUpTalk(ground: Ground, { controllers, path: { wire }, pods }: Plane): Promise<Talk> {
  const directory = createDirectory(controllers.world, controllers.book, ground.randomFor('directory'));
  const { port: localPort } = await pods.open(outsideApi.name, 'v1');
  directory.addHost({ ...outsideApi, localPort });
  const { now, signal } = ground;
  const resolver = createResolver({ directory, wire, random: ground.randomFor('resolver'), now, signal });
  return { directory, resolver, caller: createCaller({ directory, resolver, wire, random: ground.randomFor('caller') }) };
}

/** Starts the requests through the Gateway at `url` and the connections between pods. */
export async function startTraffic(ground: Ground, kube: Kube, plane: Plane, url: string, rates: Rates): Promise<Traffic> {
  const { onError } = ground;
  const { controllers, path, pods, truth } = plane;
  const { directory, resolver, caller } = await setUpTalk(ground, plane);
  ground.onStop(watchDependency(truth.connections, 'backend/backend -> database/database', pods, onError));
  ground.onStop(startProbes(controllers.book, path.wire));
  const { connectionsPerSecond, requestsPerSecond } = rates;
  const hops = startHops({ directory, caller, hops: demoHops, connectionsPerSecond, random: ground.randomFor('hops'), onError });
  ground.onStop(() => hops.stop());
  const random = ground.randomFor('clients');
  const clients = createClients({
    kube,
    world: controllers.world,
    book: controllers.book,
    directory,
    caller,
    holdOpen: (held) => holdConnection({ caller, conntrack: path.conntrack, ...held }),
    startScan: (scan) => startScan(scan, { directory, wire: path.wire, random }),
    signal: ground.signal,
    onError,
  });
  ground.onStop(() => clients.end());
  const target = { protocol: 'http', urls: [url], host: 'backend.example.com', userAgent: 'demo-frontend', paths } as const;
  const data = { target, requestsPerSecond, ...loadLimits, seed: seedFor(ground.seed, 'load') };
  const load = startLoadThread(data, onError);
  ground.onStop(() => load.stop());
  return { load, hops, clients, resolver };
}
