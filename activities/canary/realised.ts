import { type ObjectRef, objectKey } from '../../src/domain/plan.ts';
import type { Hub } from '../clients/kubernetes/hub.ts';
import type { Route } from '../clients/kubernetes/objects.ts';
import type { RealisedInput, RealisedResult } from '../contract.ts';
import { refusingParent } from './acceptance.ts';

/** Waits until every parent of every route of the stage has taken the written generation, told by the shared watch. */
export async function realised(
  deps: { readonly hub: Hub; readonly now: () => number },
  input: RealisedInput,
  signal: AbortSignal,
): Promise<RealisedResult> {
  const startedAt = deps.now();
  const over = new AbortController();
  const waiting = new Map(input.stage.writes.map(({ object }) => [objectKey(object), `Route ${nameOf(object)} has not been seen yet`]));
  const { promise, resolve } = Promise.withResolvers<RealisedResult>();
  const until = AbortSignal.any([signal, over.signal]);
  const timer = setTimeout(() => resolve(notRealised(waiting, input.timeoutMs)), input.timeoutMs);
  const aborted = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => aborted.reject(signal.reason as Error), { once: true });
  try {
    signal.throwIfAborted();
    for (const { object: ref } of input.stage.writes) {
      const generation = input.generations[objectKey(ref)] ?? 0;
      const changed = ([object]: readonly unknown[]): void => {
        const problem = problemOf(ref, object as Route | undefined, generation);
        if (problem === undefined) waiting.delete(objectKey(ref));
        else waiting.set(objectKey(ref), problem);
        if (waiting.size === 0) resolve({ kind: 'realised', afterMs: deps.now() - startedAt });
      };
      deps.hub.follow(ref, `${ref.namespace}/${ref.name}`, { changed }, until);
    }
    if (waiting.size === 0) resolve({ kind: 'realised', afterMs: 0 });
    return await Promise.race([promise, aborted.promise]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

function problemOf(ref: ObjectRef, route: Route | undefined, generation: number): string | undefined {
  if (!route) return `Route ${nameOf(ref)} does not exist any more`;
  if ((route.metadata.generation ?? 0) < generation) return `Route ${nameOf(ref)} has not been seen as it was written yet`;
  const refusing = refusingParent(route, generation);
  return refusing && `Route ${nameOf(ref)} is not accepted by ${refusing.by} (${refusing.reason})`;
}

function notRealised(waiting: ReadonlyMap<string, string>, timeoutMs: number): RealisedResult {
  return { kind: 'not-realised', words: `${[...waiting.values()].join('; ')}, ${timeoutMs / 1_000} s after it was written.` };
}

function nameOf(ref: ObjectRef): string {
  return `${ref.namespace}/${ref.name}`;
}
