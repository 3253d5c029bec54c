/**
 * Parts of the demo mesh that cost too much to run all the time: a gRPC service behind the Gateway, and a service that is called east-west. Each
 * comes with a load of its own and goes without a trace.
 */
import { fileURLToPath } from 'node:url';
import { applyManifests, readManifests } from './apply-manifests.ts';
import type { Ground } from './ground.ts';
import type { Kube } from './kube/client.ts';
import { byKind, resources } from './kube/resources.ts';
import type { KubeObject } from './kube/types.ts';
import type { Plane } from './plane.ts';
import { seedFor } from './random.ts';
import { loadLimits } from './traffic.ts';
import { until } from './until.ts';
import { type LoadThread, startLoadThread } from './workloads/load-handle.ts';
import type { LoadTarget } from './workloads/load-target.ts';

/** `ledger`: gRPC through the Gateway. `catalog`: called by the frontend's pods under its cluster address. */
export type PartName = 'ledger' | 'catalog';

export interface Part {
  readonly load: LoadThread;
  /** Takes its objects away and resolves when its pods have gone. */
  stop(): Promise<void>;
}

export interface Parts {
  /** Applies the part's manifests and resolves when its stable Service answers calls. */
  start(part: PartName): Promise<Part>;
}

const callsPerSecond = 40;
const withinMs = 20_000;
/** So many good answers say that everything is in force. */
const goodAnswers = 5;

const folderOf = (part: PartName): string => fileURLToPath(new URL(`../../manifests/demo/${part}`, import.meta.url));

/** The order in which objects go: first nobody is sent there any more. */
const order = ['HTTPRoute', 'GRPCRoute', 'Deployment', 'Service'];

/** The parts over a plane that runs; `url` is the Gateway's. They end with the ground. */
export function createParts(ground: Ground, kube: Kube, plane: Plane, url: string): Parts {
  const { world, xds, faults } = plane.controllers;
  const { truth } = plane;
  const { now, signal } = ground;
  const soon = (what: string, done: () => boolean): Promise<void> => until(done, { what, withinMs, signal });

  const targetOf = (part: PartName): LoadTarget | undefined => {
    if (part === 'ledger') return { protocol: 'grpc', url, authority: 'ledger.example.com', path: '/grpc.health.v1.Health/Check' };
    const callers = [...plane.controllers.book.all()].filter(({ namespace }) => namespace === 'frontend');
    const ports = callers.flatMap(({ node }) => xds.servicePort('backend/catalog', 8080, node) ?? []);
    const host = 'catalog.backend.svc.cluster.local';
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    return urls.length === 0
      ? undefined
      : { protocol: 'http', urls, host, userAgent: 'demo-frontend', paths: ['/', '/products', '/products/1'] };
  };

  const remove = async (objects: readonly KubeObject[]): Promise<void> => {
    const uids = new Set<string>();
    for (const object of objects.toSorted((one, other) => order.indexOf(one.kind ?? '') - order.indexOf(other.kind ?? ''))) {
      const of = byKind[`${object.apiVersion}/${object.kind}`];
      if (!of) continue;
      const { namespace, name } = object.metadata;
      if (object.kind === 'Deployment') uids.add(world.deployments.objects.get(`${namespace}/${name}`)?.metadata.uid ?? '');
      await kube.remove(of, object);
    }
    // Nobody plays the garbage collector.
    for (const set of (await kube.list(resources.replicaSets)).items)
      if (set.metadata.ownerReferences?.some(({ uid }) => uids.has(uid))) await kube.remove(resources.replicaSets, set);
  };

  const stop = async (objects: readonly KubeObject[], load: LoadThread | undefined): Promise<void> => {
    await load?.stop();
    const services = objects.flatMap(({ kind, metadata }) => (kind === 'Service' ? [`${metadata.namespace}/${metadata.name}`] : []));
    for (const service of services) if (world.services.objects.has(service)) faults.mend(service);
    const apps = new Set(objects.flatMap(({ metadata }) => metadata.labels?.['app'] ?? []));
    const mine = (): readonly KubeObject[] =>
      [...world.pods.objects.values()].filter(
        ({ metadata }) => metadata.namespace === 'backend' && apps.has(metadata.labels?.['app'] ?? ''),
      );
    await remove(objects);
    await soon('The pods of the part are still there', () => mine().length === 0);
    await soon('Envoy still has its clusters', () => [...xds.clusters.values()].every(({ target }) => !apps.has(target.service)));
  };

  const begin = async (part: PartName, loads: LoadThread[]): Promise<LoadThread> => {
    await applyManifests(kube, folderOf(part));
    const ready = (): boolean => {
      const clusters = [...xds.clusters.values()].filter(({ target }) => target.service === part || target.service === `${part}-canary`);
      return clusters.length === 2 && clusters.every(({ ports }) => ports.length === 2) && targetOf(part) !== undefined;
    };
    await soon(`The pods of ${part} are not ready`, ready);
    const target = targetOf(part);
    if (!target) throw new Error(`There is no way to ${part}. It was not started.`);
    const data = { target, requestsPerSecond: callsPerSecond, ...loadLimits, seed: seedFor(ground.seed, part) };
    const load = startLoadThread(data, ground.onError);
    loads.push(load);
    ground.onStop(() => load.stop());
    const from = now();
    const good = (): number => {
      const { total, failed } = truth.counts(from, Number.POSITIVE_INFINITY, `backend/${part}`);
      return total - failed;
    };
    await soon(`${part} does not answer`, () => good() >= goodAnswers);
    return load;
  };

  return {
    start: async (part) => {
      const objects = readManifests(folderOf(part));
      const loads: LoadThread[] = [];
      try {
        const load = await begin(part, loads);
        return { load, stop: () => stop(objects, load) };
      } catch (error) {
        // What came up of it must not stay behind; that it did not is the news.
        await stop(objects, loads[0]).catch(ground.onError);
        throw error;
      }
    },
  };
}
