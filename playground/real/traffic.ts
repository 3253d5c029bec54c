import { type Clients, createClients } from '../cilium/connections/clients.ts';
import type { TrueConnection } from '../cilium/connections/connection-truth.ts';
import { demoHops, outsideApi } from '../cilium/connections/demo-hops.ts';
import { createDirectory } from '../cilium/connections/directory.ts';
import { type Hops, startHops } from '../cilium/connections/hops.ts';
import type { Ground } from '../cilium/ground.ts';
import type { Kube } from '../cilium/kube/client.ts';
import { seedFor } from '../cilium/random.ts';
import { loadLimits } from '../cilium/traffic.ts';
import { type LoadThread, startLoadThread } from '../cilium/workloads/load-handle.ts';
import { netnsPath, OUTSIDE_NETNS } from './addresses.ts';
import { createRealCaller } from './caller.ts';
import type { RealControllers } from './controllers.ts';
import { netnsOf } from './kubelet.ts';
import type { PodProcess } from './pod-process.ts';

export interface RealTraffic {
  readonly hops: Hops;
  readonly clients: Clients;
  /** Pods or Services have changed: DNS is told. */
  readonly changed: () => void;
  /** `true`: the cluster's DNS answers SERVFAIL to every lookup. */
  failDns(on: boolean): void;
}

export interface RealTrafficOptions {
  readonly controllers: RealControllers;
  readonly pods: PodProcess;
  readonly connected: (connection: TrueConnection) => void;
  readonly connectionsPerSecond: number;
}

const PATHS = ['/', '/items', '/items/1', '/checkout', '/search?q=shoes'] as const;

/** Requests through the Gateway, from outside of the cluster. */
export function startGatewayLoad(ground: Ground, url: string, requestsPerSecond: number): LoadThread {
  const target = { protocol: 'http', urls: [url], host: 'backend.example.com', userAgent: 'demo-frontend', paths: PATHS } as const;
  return startLoadThread({ target, requestsPerSecond, ...loadLimits, seed: seedFor(ground.seed, 'load') }, ground.onError);
}

/** Calls between the demo's pods, to and from the world outside, and clients on demand: real packets, all of them. */
export function startRealTraffic(ground: Ground, kube: Kube, options: RealTrafficOptions): RealTraffic {
  const { controllers, pods, connected, connectionsPerSecond } = options;
  const { onError, signal } = ground;
  const { world, book } = controllers;
  const directory = createDirectory(world, book, ground.randomFor('directory'));
  directory.addHost({ ...outsideApi, localPort: 0 });
  pods.serve(outsideApi.name, netnsPath(OUTSIDE_NETNS), outsideApi.port, 'v1').catch(onError);
  const caller = createRealCaller({
    directory,
    pods,
    netnsOf: (key) => {
      const pod = controllers.pod(key);
      return pod && netnsOf(pod);
    },
    connected,
    random: ground.randomFor('caller'),
    onError,
  });
  let failing = false;
  let told = '';
  /** Headless: a name stands for the addresses of the pods behind it. */
  const names = (): Readonly<Record<string, readonly string[]>> => {
    const services = [...world.services.objects.keys()].map(
      (key) => [directory.hostOf(key), directory.behind(key).map(({ ip }) => ip)] as const,
    );
    return Object.fromEntries([...services.filter(([, ips]) => ips.length > 0), [outsideApi.name, [outsideApi.ip]]]);
  };
  const tellNames = (): void => {
    const known = names();
    const text = JSON.stringify([known, failing]);
    if (text === told) return;
    told = text;
    pods.names(known, failing).catch(onError);
  };
  const hops = startHops({ directory, caller, hops: demoHops, connectionsPerSecond, random: ground.randomFor('hops'), onError });
  ground.onStop(() => hops.stop());
  const { holdOpen, startScan } = caller;
  const clients = createClients({ kube, world, book, directory, caller, holdOpen, startScan, signal, onError });
  ground.onStop(() => clients.end());
  return {
    hops,
    clients,
    changed: tellNames,
    failDns: (on) => {
      failing = on;
      tellNames();
    },
  };
}
