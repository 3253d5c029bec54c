/** Who is behind a name: the ready pods of a Service, or somebody outside of the cluster. */
import { isReady, selects } from '../kube/types.ts';
import type { PodBook, PodFacts } from '../pod-book.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { type Party, podParty, worldParty } from './party.ts';

/** A name as callers write it: `namespace/name` of a Service, or a host name outside (`api.example.com`). */
export type Name = string;

export interface Found {
  readonly party: Party;
  /** Where it really answers, on loopback. */
  readonly localPort: number;
  /** The port of its server, as others see it. */
  readonly port: number;
}

/** A host outside of the cluster with a real server here. */
export interface OutsideHost {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  readonly localPort: number;
}

export interface Directory {
  /** Ready pods of a namespace with these labels. */
  readyPods(namespace: string, labels: Readonly<Record<string, string>> | undefined): readonly PodFacts[];
  /** Every ready pod behind a Service. */
  behind(service: Name): readonly PodFacts[];
  /** One of those behind a name, by chance; undefined when there is none. */
  find(name: Name): Found | undefined;
  /** The DNS name that callers look up. */
  hostOf(name: Name): string;
  /** The addresses that DNS gives for a name; none = no such name. */
  addressesOf(name: Name): readonly string[];
  /** A node's DNS proxy saw an answer for this host: from now on policies and flows know its addresses by the name. */
  learn(host: string): void;
  addHost(host: OutsideHost): void;
}

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[Math.floor(random() * list.length)];

/** Reads the world as it is at each call. */
export function createDirectory(world: World, book: PodBook, random: Random): Directory {
  const hosts = new Map<string, OutsideHost>();
  const learned = new Set<string>();

  const readyPods: Directory['readyPods'] = (namespace, labels) =>
    [...world.pods.objects.values()]
      .filter((pod) => pod.metadata.namespace === namespace && isReady(pod) && selects(labels, pod.metadata.labels))
      .flatMap((pod) => book.get(`${namespace}/${pod.metadata.name}`) ?? []);

  const behind = (name: Name): readonly PodFacts[] => {
    const service = world.services.objects.get(name);
    return service ? readyPods(service.metadata.namespace ?? '', service.spec.selector) : [];
  };

  return {
    readyPods,
    behind,
    find: (name) => {
      const host = hosts.get(name);
      if (host) return { party: worldParty(host.ip, learned.has(name) ? [name] : []), localPort: host.localPort, port: host.port };
      const pod = pick(behind(name), random);
      return pod && { party: podParty(pod), localPort: pod.localPort, port: pod.containerPort };
    },
    hostOf: (name) => {
      if (!name.includes('/')) return name;
      const [namespace, service] = name.split('/');
      return `${service}.${namespace}.svc.cluster.local`;
    },
    addressesOf: (name) => {
      const host = hosts.get(name);
      if (host) return [host.ip];
      const address = world.services.objects.get(name)?.spec.clusterIP;
      return address === undefined || address === 'None' ? [] : [address];
    },
    learn: (host) => void learned.add(host),
    addHost: (host) => void hosts.set(host.name, host),
  };
}
