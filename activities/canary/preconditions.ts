import type { Gainer } from '../../src/domain/canary/gainers.ts';
import type { OperationRequest } from '../../src/domain/operation.ts';
import { formatPercent } from '../../src/domain/percent.ts';
import { type ObjectRef, objectKey, parseToken } from '../../src/domain/plan.ts';
import { type SentenceCode, type SentenceParameters, sentence } from '../../src/domain/sentences.ts';
import type { Cluster, Right } from '../clients/kubernetes/cluster.ts';
import { isFailure } from '../clients/kubernetes/failure.ts';
import {
  ENDPOINT_SLICE,
  type EndpointSlice,
  groupOf,
  type KubeObject,
  pluralOf,
  type Route,
  SERVICE,
} from '../clients/kubernetes/objects.ts';
import type { PlanResult } from '../contract.ts';
import type { AuditLog } from '../ports.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { refusingParent } from './acceptance.ts';
import { readControllers } from './controllers.ts';
import { readyOf } from './sides.ts';

export type Impossible = Extract<PlanResult, { kind: 'impossible' }>;

export function impossible<Code extends SentenceCode>(code: Code, parameters: SentenceParameters[Code]): Impossible {
  return { kind: 'impossible', code, words: (sentence as (code: SentenceCode, parameters: unknown) => string)(code, parameters) };
}

export interface PreconditionDeps {
  readonly cluster: Cluster;
  readonly audit: Pick<AuditLog, 'holds'>;
}

/** A token of another operation that is not over holds the object. */
export async function checkHeld(
  { audit }: PreconditionDeps,
  objects: readonly KubeObject[],
  opId: string,
): Promise<Impossible | undefined> {
  for (const object of objects) {
    const token = tokenIn(object);
    if (token === null) continue;
    const holder = parseToken(token)?.opId;
    if (holder === undefined || holder === opId || !(await audit.holds(holder))) continue;
    return impossible('Held', { object: `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`, opId: holder });
  }
  return undefined;
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
    if (manager !== undefined) return impossible('OtherManager', { route: `${metadata.namespace}/${metadata.name}`, manager });
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
    if (refusing) return impossible('NotAccepted', { route: `${route.metadata.namespace}/${route.metadata.name}`, ...refusing });
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
  if (!service) return impossible('NotReady', { service: name, what: `there is no Service ${namespace}/${name}` });
  return readyOf(slices.items) > 0 ? undefined : impossible('NotReady', { service: name, what: 'none of its endpoints is ready' });
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

/** The person's right to write forward, and the bot's own to put back: without the second nothing may begin. */
export async function checkRights(
  { cluster }: PreconditionDeps,
  refs: readonly ObjectRef[],
  { requester }: OperationRequest,
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  const as = requester.kubernetes;
  if (!as) return impossible('NoIdentity', { email: requester.id });
  for (const ref of refs) {
    const right: Right = {
      verb: 'patch',
      group: groupOf(ref.apiVersion),
      resource: pluralOf(ref.kind),
      namespace: ref.namespace,
      name: ref.name,
    };
    const what = `patch ${ref.kind} ${ref.namespace}/${ref.name}`;
    try {
      const [person, bot] = await Promise.all([cluster.mayI(right, { signal, as }), cluster.mayI(right, { signal })]);
      if (!person.allowed) return impossible('Forbidden', { who: as.user, what });
      if (!bot.allowed) return impossible('Forbidden', { who: 'meshops itself', what: `${what}, so it could not undo the change` });
    } catch (error) {
      if (!isFailure(error, 'Forbidden')) throw error;
      return impossible('Forbidden', { who: 'meshops', what: `act as ${as.user} (${error.message})` });
    }
  }
  return undefined;
}

/** Objects by key, for those a plan touches. */
export function byKey<T extends KubeObject>(objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(
    objects.map((object) => [objectKey({ ...object, namespace: object.metadata.namespace ?? '', name: object.metadata.name }), object]),
  );
}
