import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import {
  ENDPOINT_SLICE,
  type EndpointSlice,
  groupOf,
  type KubeObject,
  pluralOf,
  type Route,
  SERVICE,
} from '../../src/clients/kubernetes/objects.ts';
import type { Gainer } from '../../src/domain/canary/gainers.ts';
import { type ObjectRef, objectKey } from '../../src/domain/lifecycle/plan.ts';
import { formatPercent } from '../../src/domain/words/percent.ts';
import type { AuditLog } from '../../src/ports.ts';
import { refusingParent } from '../../src/reading/routes/acceptance.ts';
import { readControllers } from '../../src/reading/routes/controllers.ts';
import { type Impossible, refused } from '../planning/impossible.ts';
import type { NeededRight } from '../planning/rights.ts';
import { podOf, readyOf } from './sides.ts';

export interface PreconditionDeps {
  readonly cluster: Cluster;
  readonly audit: Pick<AuditLog, 'holds'>;
}

/** Flagger and Argo Rollouts write weights themselves. They show in labels, annotations and owned fields; owners are the domain's. */
export function checkManagers(routes: readonly Route[]): Impossible | undefined {
  for (const { metadata } of routes) {
    const marks = [...Object.entries(metadata.labels ?? {}), ...Object.entries(metadata.annotations ?? {})];
    const mark = marks.find(
      ([key, value]) =>
        /^(.*\.)?(flagger\.app|rollouts\.argoproj\.io)\//.test(key) || (key === 'app.kubernetes.io/managed-by' && value === 'flagger'),
    );
    const manager =
      mark?.[0] ??
      metadata.managedFields?.find((entry) => /^(flagger|rollouts-controller|argo-rollouts)/.test(entry.manager ?? ''))?.manager;
    if (manager !== undefined) return refused('OtherManager', { route: `${metadata.namespace}/${metadata.name}`, manager });
  }
  return undefined;
}

export async function checkAccepted(
  { cluster }: Pick<PreconditionDeps, 'cluster'>,
  routes: readonly Route[],
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  const controllerOf = await readControllers(cluster, routes, signal);
  for (const route of routes) {
    const refusing = refusingParent(route, route.metadata.generation ?? 0, controllerOf);
    if (refusing) return refused('NotAccepted', { route: `${route.metadata.namespace}/${route.metadata.name}`, ...refusing });
  }
  return undefined;
}

export async function checkReady(
  { cluster }: PreconditionDeps,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  const [service, slices] = await Promise.all([
    cluster.read({ ...SERVICE, namespace, name }, { signal }),
    cluster.list<EndpointSlice>(ENDPOINT_SLICE, { namespace, labelSelector: `kubernetes.io/service-name=${name}` }, { signal }),
  ]);
  if (!service) return refused('NotReady', { service: name, what: `there is no Service ${namespace}/${name}` });
  return readyOf(slices.items) > 0 ? undefined : refused('NotReady', { service: name, what: 'none of its endpoints is ready' });
}

/**
 * A pod of the receiver that another Service with a weight leads to as well gets its share of that, whatever the receiver's own weight is: the
 * share that people approve would not be the one that is exposed, and 0% would take nothing out.
 */
export async function checkApart(
  { cluster }: Pick<PreconditionDeps, 'cluster'>,
  { namespace, receiver, others }: { readonly namespace: string; readonly receiver: string; readonly others: readonly string[] },
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  if (others.length === 0) return undefined;
  const podsOf = async (name: string): Promise<readonly string[]> => {
    const where = { namespace, labelSelector: `kubernetes.io/service-name=${name}` };
    const { items } = await cluster.list<EndpointSlice>(ENDPOINT_SLICE, where, { signal });
    return items.flatMap(({ metadata, endpoints = [] }) =>
      endpoints.flatMap(({ addresses, targetRef }) => podOf(targetRef, metadata?.namespace) ?? addresses),
    );
  };
  const [own = [], ...theirs] = await Promise.all([receiver, ...others].map(podsOf));
  for (const [index, other] of others.entries()) {
    const pod = own.find((one) => theirs[index]?.includes(one));
    if (pod !== undefined) return refused('SharedPod', { receiver, other, pod });
  }
  return undefined;
}

/** Who is to get more traffic and has nobody to answer it, in words; undefined where all of them have. */
export async function askIfUnready(
  { cluster }: Pick<PreconditionDeps, 'cluster'>,
  gains: readonly Gainer[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const ready = await Promise.all(
    gains.map(async ({ namespace, name }) => {
      const selector = { namespace, labelSelector: `kubernetes.io/service-name=${name}` };
      return readyOf((await cluster.list<EndpointSlice>(ENDPOINT_SLICE, selector, { signal })).items);
    }),
  );
  const lacking = gains.filter((_, index) => ready[index] === 0);
  if (lacking.length === 0) return undefined;
  const who = lacking.map(({ name, share }) => `${name} would get ${formatPercent(share * 100)} of the requests and has no ready endpoint`);
  return `Look first: ${who.join('; ')}. Those requests would fail.`;
}

/** Routes are patched, forward by the person and back by the bot. */
export function rightsFor(refs: readonly ObjectRef[]): { readonly forward: readonly NeededRight[]; readonly back: readonly NeededRight[] } {
  const rights = refs.map(({ apiVersion, kind, namespace, name }) => ({
    verb: 'patch',
    group: groupOf(apiVersion),
    resource: pluralOf(kind),
    namespace,
    name,
    what: `patch ${kind} ${namespace}/${name}`,
  }));
  return { forward: rights, back: rights };
}

/** Objects by key, for those a plan touches. */
export function byKey<T extends KubeObject>(objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(
    objects.map((object) => [objectKey({ ...object, namespace: object.metadata.namespace ?? '', name: object.metadata.name }), object]),
  );
}
