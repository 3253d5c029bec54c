import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Route } from '../../src/clients/kubernetes/objects.ts';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import { createSplit, routeKey, type Split, type SplitRoute } from '../../src/domain/canary/split.ts';
import type { Log } from '../../src/log.ts';
import { listRoutes } from '../../src/reading/routes/routes.ts';

interface WatchedSplit extends Split {
  /** Every rule that names a Service of the operation is one that it moves: then all that such a Service gets was split. */
  readonly isWhole: boolean;
}

interface SplitDeps {
  readonly cluster: Cluster;
  readonly log: Log;
  readonly now: () => number;
}

/** Thousands of watches may begin together; a list of this age serves all of them (ms). */
const FRESH_MS = 5_000;
const LIST_WITHIN_MS = 10_000;
const lists = new WeakMap<Cluster, { readonly at: number; readonly routes: Promise<readonly SplitRoute[]> }>();

/** The split of the rules that the operation moves, by the routes as they are now. Nothing is compared when they cannot be read. */
export async function readSplit(deps: SplitDeps, details: CanaryDetails, signal: AbortSignal): Promise<WatchedSplit> {
  try {
    const routes = await routesOf(deps);
    signal.throwIfAborted();
    return splitOf(routes, details);
  } catch (error) {
    if (signal.aborted) throw error;
    deps.log.warn({ err: error }, 'routes cannot be read: the canary is compared with nobody in this watch');
    return { isMoved: () => false, isWhole: false };
  }
}

async function routesOf({ cluster, now }: SplitDeps): Promise<readonly SplitRoute[]> {
  const known = lists.get(cluster);
  if (known && now() - known.at < FRESH_MS) return known.routes;
  const routes = listRoutes({ cluster }, AbortSignal.timeout(LIST_WITHIN_MS)).then((live) => live.map(splitRoute));
  lists.set(cluster, { at: now(), routes });
  routes.catch(() => lists.delete(cluster));
  return routes;
}

function splitOf(routes: readonly SplitRoute[], { namespace, receiver, others, routes: movedRoutes }: CanaryDetails): WatchedSplit {
  const services = new Set([receiver, ...others].map((name) => `${namespace}/${name}`));
  const moved = new Map(movedRoutes.map(({ ref, rules }) => [routeKey(ref), rules]));
  const isWhole = routes.every((route) =>
    route.rules.every(({ backendRefs = [] }, index) => {
      const isNamed = backendRefs.some((backend) => services.has(`${backend.namespace ?? route.namespace}/${backend.name}`));
      return !isNamed || (moved.get(routeKey(route))?.includes(index) ?? false);
    }),
  );
  return { ...createSplit(routes, moved, services), isWhole };
}

function splitRoute({ kind, metadata, spec }: Route): SplitRoute {
  const { namespace = '', name } = metadata;
  const parents = spec.parentRefs ?? [];
  return {
    kind,
    namespace,
    name,
    createdAt: metadata.creationTimestamp ?? '',
    hostnames: (spec['hostnames'] ?? []) as readonly string[],
    parents: parents.map((parent) => [
      `${parent.kind ?? 'Gateway'}/${parent.namespace ?? namespace}/${parent.name}`,
      parent.sectionName ?? '',
    ]),
    rules: (spec.rules ?? []) as SplitRoute['rules'],
  };
}
