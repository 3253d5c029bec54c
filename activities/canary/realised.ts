import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Hub } from '../../src/clients/kubernetes/hub.ts';
import type { Route } from '../../src/clients/kubernetes/objects.ts';
import type { RealisedInput, RealisedResult } from '../../src/domain/lifecycle/contract.ts';
import { type ObjectRef, objectKey } from '../../src/domain/lifecycle/plan.ts';
import { refusingParent } from '../../src/reading/routes/acceptance.ts';
import { type ControllerOf, readControllers } from '../../src/reading/routes/controllers.ts';

/** Waits until every parent of every route of the stage has taken the written generation, told by the shared watch. */
export async function realised(
  deps: { readonly hub: Hub; readonly cluster: Cluster; readonly now: () => number },
  { stage, generations, timeoutMs }: RealisedInput,
  signal: AbortSignal,
): Promise<RealisedResult> {
  const startedAt = deps.now();
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const { promise, resolve, reject } = Promise.withResolvers<RealisedResult>();
  let problems: readonly string[] = stage.writes.map(({ object }) => `Route ${nameOf(object)} has not been seen yet`);
  const timer = setTimeout(() => resolve(notRealised(problems, timeoutMs)), timeoutMs);
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  let controllerOf: ControllerOf | undefined;
  const look = (live: Live): void => {
    const known = controllerOf;
    if (!known) return;
    problems = stage.writes.flatMap(
      ({ object }) => problemOf(object, live.get(objectKey(object)), generations[objectKey(object)] ?? 0, known) ?? [],
    );
    if (problems.length === 0) resolve({ kind: 'realised', afterMs: deps.now() - startedAt });
  };
  try {
    signal.throwIfAborted();
    const refs = stage.writes.map(({ object }) => object);
    const begin = async (): Promise<void> => {
      const live = await followAll(deps.hub, refs, look, until);
      const routes = [...live.values()].filter((route) => route !== undefined);
      controllerOf = await readControllers(deps.cluster, routes, until);
      look(live);
    };
    begin().catch(reject);
    return await promise;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

type Live = ReadonlyMap<string, Route | undefined>;

/** Resolves when each has been seen once; `changed` is called for every change, also before that. */
function followAll(hub: Hub, refs: readonly ObjectRef[], changed: (live: Live) => void, signal: AbortSignal): Promise<Live> {
  const live = new Map<string, Route | undefined>();
  const { promise, resolve } = Promise.withResolvers<Live>();
  for (const ref of refs) {
    const take = ([object]: readonly unknown[]): void => {
      live.set(objectKey(ref), object as Route | undefined);
      if (live.size === refs.length) resolve(live);
      changed(live);
    };
    hub.follow(ref, `${ref.namespace}/${ref.name}`, { changed: take }, signal);
  }
  if (refs.length === 0) resolve(live);
  return promise;
}

function problemOf(ref: ObjectRef, route: Route | undefined, generation: number, controllerOf: ControllerOf): string | undefined {
  if (!route) return `Route ${nameOf(ref)} does not exist any more`;
  if ((route.metadata.generation ?? 0) < generation) return `Route ${nameOf(ref)} has not been seen as it was written yet`;
  const refusing = refusingParent(route, generation, controllerOf);
  return refusing && `Route ${nameOf(ref)} is not accepted by ${refusing.by} (${refusing.reason})`;
}

function notRealised(problems: readonly string[], timeoutMs: number): RealisedResult {
  return { kind: 'not-realised', words: `${problems.join('; ')}, ${timeoutMs / 1_000} s after it was written.` };
}

function nameOf(ref: ObjectRef): string {
  return `${ref.namespace}/${ref.name}`;
}
