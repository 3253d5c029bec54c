import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { CILIUM_ENDPOINT, CILIUM_NODE } from '../../src/clients/kubernetes/objects.ts';
import type { Endpoint, NodeOfCilium } from '../../src/reading/nodes/objects.ts';
import type { Hear } from '../watch/watching.ts';
import { again } from './again.ts';

/** On which node each pod's address is. */
export interface Homes {
  /** `identity` says whether the address is a pod's: one that is not known yet is looked for. */
  nodeOf(address: string, identity?: number): string | undefined;
  /** Pods' addresses that are on no known node, in words: nothing is said of their connections. Undefined: none. */
  unplaced(): string | undefined;
  readonly namespaces: readonly string[];
  readonly nodes: readonly string[];
}

interface Deps {
  readonly cluster: Pick<Cluster, 'list'>;
  readonly now: () => number;
}

/** How often it is looked whether there is something to read, and how soon a failed reading is tried again (ms). */
const LOOK_MS = 500;
/** Readings for the sake of an address that is not known are so far apart (ms). */
const SOON_MS = 5_000;
/** A reading without any need (ms). */
const USUAL_MS = 60_000;
/** Where the places of pods are read from, where people are told that they cannot be. */
const SOURCE = 'the places of pods';
/** Identities of pods lie between the reserved ones and those of addresses outside (Documentation/internals/security-identities.rst). */
const [LEAST_IDENTITY, LEAST_LOCAL_IDENTITY] = [100, 1 << 24];

/**
 * Reads it once, and again where a pod's address turns up that is not known, or now and then: endpoints of a large cluster are many. A reading
 * that fails is a gap until one succeeds, since what pods do that came since is not watched.
 */
export async function followHomes({ cluster, now }: Deps, hear: Hear, signal: AbortSignal): Promise<Homes> {
  // Addresses of pods that have gone stay known: their last connections come later.
  const homes = new Map<string, string>();
  const namespaces = new Set<string>();
  const names = new Map<string, string>();
  /** Asked for since the last reading, and asked for in vain. */
  const wanted = new Set<string>();
  const strays = new Set<string>();
  let readAt = 0;
  let failing = false;
  const read = async (): Promise<void> => {
    const part = ({ metadata, status }: Endpoint) => ({
      namespace: metadata.namespace ?? '',
      node: status?.networking?.node ?? '',
      addresses: (status?.networking?.addressing ?? []).flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((ip) => ip !== undefined)),
    });
    const [nodes, endpoints] = await Promise.all([
      cluster.list<NodeOfCilium>(CILIUM_NODE, {}, { signal }),
      cluster.list<Endpoint, ReturnType<typeof part>>(CILIUM_ENDPOINT, {}, { signal, part }),
    ]);
    for (const { metadata, spec } of nodes.items) for (const { ip } of spec.addresses ?? []) names.set(ip, metadata.name);
    for (const { namespace, node, addresses } of endpoints.items) {
      namespaces.add(namespace);
      const name = names.get(node);
      if (name !== undefined) for (const address of addresses) homes.set(address, name);
    }
    if (now() - readAt >= USUAL_MS) strays.clear();
    for (const address of wanted) strays.add(address);
    wanted.clear();
    for (const address of strays) if (homes.has(address)) strays.delete(address);
    readAt = now();
  };
  const isDue = (): boolean => failing || now() - readAt >= (wanted.size > 0 ? SOON_MS : USUAL_MS);
  const readAgain = async (): Promise<void> => {
    if (!isDue()) return;
    await read();
    if (failing) hear({ kind: 'sight', at: now(), node: SOURCE });
    failing = false;
  };
  const failed = (error: unknown): void => {
    if (!failing) hear({ kind: 'gap', at: now(), node: SOURCE, reason: error instanceof Error ? error.message : String(error) });
    failing = true;
  };
  await read();
  again(() => LOOK_MS, signal, readAgain, failed);
  return {
    nodeOf: (address, identity = 0) => {
      const home = homes.get(address);
      const isPod = identity >= LEAST_IDENTITY && identity < LEAST_LOCAL_IDENTITY;
      if (home === undefined && isPod && !strays.has(address)) wanted.add(address);
      return home;
    },
    unplaced: () => {
      const { size } = strays;
      return size === 0 ? undefined : `${size} ${size === 1 ? 'address of a pod is' : 'addresses of pods are'} on no known node`;
    },
    get namespaces() {
      return [...namespaces];
    },
    get nodes() {
      return [...new Set(names.values())];
    },
  };
}
