/** Clients on demand, for scenarios: a pod of its own that calls somebody, connections that stay open, a port scan from outside. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Kube } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import { isReady, type Pod } from '../kube/types.ts';
import type { PodBook } from '../pod-book.ts';
import { until } from '../until.ts';
import type { World } from '../world.ts';
import type { Caller, CallOutcome, Trip } from './caller.ts';
import type { Directory } from './directory.ts';
import type { HeldOptions } from './held.ts';
import { podParty, worldParty } from './party.ts';
import type { Scan, ScanOptions } from './scanner.ts';

export interface ClientOptions extends Pick<Trip, 'to' | 'port' | 'http'> {
  /** Name of the client and of its pod. */
  readonly name: string;
  readonly namespace: string;
  /** Default `app: <name>`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly everyMs: number;
  /** One connection that stays open, instead of a new one for each request. */
  readonly keepOpen?: boolean;
}

export interface HoldOptions extends Pick<Trip, 'to' | 'port' | 'http'> {
  readonly name: string;
  /** Every pod of this app that is ready now holds a connection of its own. */
  readonly from: { readonly namespace: string; readonly app: string };
  readonly everyMs: number;
}

export interface Client {
  readonly name: string;
  /** How often each outcome came. */
  readonly counts: Readonly<Record<CallOutcome, number>>;
  /** Ends it and removes its pod, if it has one. */
  stop(): Promise<void>;
}

export interface Clients {
  /** Creates the client's pod and resolves when it is ready and calls. */
  start(options: ClientOptions): Promise<Client>;
  /** Somebody outside the cluster who calls again and again. */
  visit(options: Pick<ClientOptions, 'name' | 'to' | 'port' | 'http' | 'everyMs'> & { readonly ip: string }): Client;
  /** Lets existing pods hold connections. */
  hold(options: HoldOptions): Client;
  scan(options: ScanOptions): Scan;
  /** How many there have been since the start. */
  readonly begun: number;
  /** Ends every client; pods that they made stay in the cluster. */
  end(): void;
}

export interface ClientsOptions {
  readonly kube: Kube;
  readonly world: World;
  readonly book: PodBook;
  readonly directory: Directory;
  readonly caller: Pick<Caller, 'call'>;
  /** Keeps one connection open until the signal ends it. */
  readonly holdOpen: (options: Held) => Promise<void>;
  readonly startScan: (options: ScanOptions) => Scan;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** A connection that is to be held. */
export type Held = Omit<HeldOptions, 'caller' | 'conntrack'>;

const readyWithinMs = 20_000;

function podOf({ name, namespace, labels }: ClientOptions): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: labels ?? { app: name, 'app.kubernetes.io/name': name } },
    spec: { nodeName: 'node-2', serviceAccountName: 'default', containers: [{ name, image: 'docker.io/mendhak/http-https-echo:35' }] },
  };
}

/** No clients yet. */
export function createClients(options: ClientsOptions): Clients {
  const { kube, world, book, directory, caller, holdOpen } = options;
  const ends = new Set<() => void>();
  let begun = 0;

  /** Runs a loop for each source until `stop`. */
  const run = (name: string, loops: (signal: AbortSignal, count: (outcome: CallOutcome) => void) => readonly Promise<void>[]) => {
    const ending = new AbortController();
    const counts: Record<CallOutcome, number> = { answered: 0, refused: 0, dropped: 0, unresolved: 0, failed: 0 };
    const signal = AbortSignal.any([ending.signal, options.signal]);
    const running = loops(signal, (outcome) => {
      counts[outcome] += 1;
    });
    for (const each of running) each.catch(options.onError);
    const end = (): void => ending.abort();
    ends.add(end);
    begun += 1;
    return { name, counts, end };
  };

  const tripOf =
    (pod: string, { name, to, port, http }: Pick<ClientOptions, 'name' | 'to' | 'port' | 'http'>) =>
    (): Trip | undefined => {
      const facts = book.get(pod);
      const more = { ...(port === undefined ? {} : { port }), ...(http ? { http } : {}) };
      return facts && { name, source: podParty(facts), to, ...more };
    };

  const callAgain = async (
    trip: () => Trip | undefined,
    everyMs: number,
    signal: AbortSignal,
    count: (outcome: CallOutcome) => void,
  ): Promise<void> => {
    while (!signal.aborted) {
      const now = trip();
      // Not awaited: a call that hangs must not hold up the next one.
      if (now) caller.call(now).then(count, options.onError);
      await wait(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };

  return {
    start: async (client) => {
      const pod = podOf(client);
      const key = `${client.namespace}/${client.name}`;
      await kube.create(resources.pods, pod);
      const ready = (): boolean => {
        const object = world.pods.objects.get(key);
        return object !== undefined && isReady(object);
      };
      await until(ready, { what: `The client ${key} is not ready`, withinMs: readyWithinMs, signal: options.signal });
      const trip = tripOf(key, client);
      const { everyMs, keepOpen = false } = client;
      const running = run(client.name, (signal, count) => [
        keepOpen ? holdOpen({ trip, everyMs, count, signal }) : callAgain(trip, everyMs, signal, count),
      ]);
      return {
        ...running,
        stop: async () => {
          running.end();
          await kube.remove(resources.pods, pod);
        },
      };
    },
    visit: ({ name, ip, to, port, http, everyMs }) => {
      const trip: Trip = { name, source: worldParty(ip), to, ...(port === undefined ? {} : { port }), ...(http ? { http } : {}) };
      const running = run(name, (signal, count) => [callAgain(() => trip, everyMs, signal, count)]);
      return { ...running, stop: async () => running.end() };
    },
    hold: (client) => {
      const pods = directory.readyPods(client.from.namespace, { app: client.from.app });
      const running = run(client.name, (signal, count) =>
        pods.map(({ key }) => holdOpen({ trip: tripOf(key, client), everyMs: client.everyMs, count, signal })),
      );
      return { ...running, stop: async () => running.end() };
    },
    scan: (scan) => {
      const running = options.startScan(scan);
      ends.add(() => running.stop());
      begun += 1;
      return running;
    },
    get begun() {
      return begun;
    },
    end: () => {
      for (const end of ends) end();
      ends.clear();
    },
  };
}
