import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Hub } from '../../src/clients/kubernetes/hub.ts';
import { CONFIG_MAP, type KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { Difference } from '../../src/domain/lifecycle/contract-undo.ts';
import { type ObjectRef, objectKey, tokenOf } from '../../src/domain/lifecycle/plan.ts';
import { inParallel, URGENT_AT_ONCE } from '../../src/fan-out.ts';
import { difference, differences, gone } from '../writes/differences.ts';
import { TOKEN_POINTER, tokenIn } from '../writes/guarded-patch.ts';
import { comesAndGoes, type LastWrite, lastWrites } from '../writes/written.ts';
import type { Hear } from './watching.ts';

type Drift = Extract<Evidence, { kind: 'drift' }>;

/**
 * Does the stage stand: the values and the token of the last stage that wrote it, on each object of the operation? Objects that earlier
 * stages wrote are part of what stands, so what became of them is looked at as well.
 */
export interface Standing {
  /** The first thing that is not as the stage wrote it. */
  readonly drift: Drift | undefined;
  /** resourceVersion of each object that was read, by key: an informer's older news is no news. */
  readonly versions: ReadonlyMap<string, bigint>;
}

/** What must stand while this stage is watched. */
function standing({ fuse, stage }: WatchInput): readonly LastWrite[] {
  const written = fuse.written.some((entry) => entry.stage === stage.number)
    ? fuse.written
    : [...fuse.written, { stage: stage.number, writes: stage.writes }];
  return [...lastWrites(written, stage.number).values()];
}

/** Reads every object that must stand once. Throws ClusterFailure when one cannot be read. */
export async function checkStanding(
  deps: { cluster: Cluster; now: () => number },
  input: WatchInput,
  signal: AbortSignal,
): Promise<Standing> {
  const versions = new Map<string, bigint>();
  const found = await inParallel(standing(input), URGENT_AT_ONCE, async (write) => {
    const object = await deps.cluster.read(write.object, { signal });
    if (object) versions.set(objectKey(write.object), BigInt(object.metadata.resourceVersion));
    return driftOf(input, write, object, deps.now());
  });
  return { drift: found.find((drift) => drift !== undefined), versions };
}

/** Tells drift as soon as the shared watch of the objects' kind shows it. */
export function followStanding(
  deps: { readonly hub: Hub; readonly cluster: Cluster; readonly now: () => number },
  input: WatchInput,
  versions: Standing['versions'],
  hear: Hear,
  signal: AbortSignal,
): void {
  for (const write of standing(input)) {
    const { object: ref } = write;
    // Following pods would mean all pods of the cluster; a label that somebody takes off is found by the next stage, and exposes nobody.
    if (comesAndGoes(ref)) continue;
    const known = versions.get(objectKey(ref)) ?? 0n;
    const node = `the Kubernetes API's watch of ${ref.kind}`;
    let appeared = false;
    follow(
      deps,
      ref,
      {
        changed: ([object]) => {
          if (object && BigInt(object.metadata.resourceVersion) < known) return;
          // A shared list made before the object was created does not have it yet; one that has lost it has seen it go.
          if (!object && !appeared) return;
          appeared = true;
          const drift = driftOf(input, write, object, deps.now());
          if (drift) hear(drift);
        },
        stale: (stale, reason) => {
          const at = deps.now();
          hear(stale ? { kind: 'gap', at, node, reason } : { kind: 'sight', at, node });
        },
      },
      signal,
    );
  }
}

/** How often it is looked at one object of a kind that is not watched (ms). */
const LOOK_MS = 1_000;

interface Followed {
  readonly changed: (objects: readonly KubeObject[]) => void;
  readonly stale?: (stale: boolean, reason: string) => void;
}

/** ConfigMaps hold whatever people put there: to watch all of them is no right that is asked for, so one is looked at again and again. */
function follow(
  deps: { readonly hub: Hub; readonly cluster: Cluster },
  ref: ObjectRef,
  { changed, stale }: Followed,
  signal: AbortSignal,
): void {
  if (ref.kind !== CONFIG_MAP.kind) {
    deps.hub.follow(ref, `${ref.namespace}/${ref.name}`, { changed, ...(stale && { stale }) }, signal);
    return;
  }
  let isStale = false;
  const look = async (): Promise<void> => {
    try {
      const object = await deps.cluster.read(ref, { signal });
      if (isStale) stale?.(false, '');
      isStale = false;
      changed(object ? [object] : []);
    } catch (error) {
      if (signal.aborted || isStale) return;
      isStale = true;
      stale?.(true, error instanceof Error ? error.message : String(error));
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/**
 * Shows what differs from what the stages wrote, whenever the shared watch brings news: while people are asked about a difference it may
 * change again, or go.
 */
export function followDifferences(
  deps: { readonly hub: Hub; readonly cluster: Cluster },
  input: WatchInput,
  show: (differences: readonly Difference[]) => void,
  signal: AbortSignal,
): void {
  const found = new Map<string, readonly Difference[]>();
  for (const write of standing(input)) {
    const { object: ref } = write;
    if (comesAndGoes(ref)) continue;
    const changed = ([object]: readonly KubeObject[]): void => {
      found.set(objectKey(ref), differencesOf(input, write, object));
      show([...found.values()].flat());
    };
    follow(deps, ref, { changed }, signal);
  }
}

function differencesOf(input: WatchInput, write: LastWrite, object: KubeObject | undefined): readonly Difference[] {
  if (write.isDeleted) return [];
  if (!object || (write.uid !== '' && object.metadata.uid !== write.uid)) return [gone(write.object, write.uid, object)];
  const [token, found] = [tokenOf(input.opId, write.stage), tokenIn(object)];
  const values = differences(object, write.object, write.fields);
  return found === token ? values : [...values, difference(write.object, TOKEN_POINTER, token, found)];
}

function driftOf(input: WatchInput, write: LastWrite, object: KubeObject | undefined, at: number): Drift | undefined {
  if (write.isDeleted)
    return object && write.uid === object.metadata.uid
      ? told(difference(write.object, '/metadata/uid', null, object.metadata.uid), at)
      : undefined;
  const isThere = object !== undefined && (write.uid === '' || object.metadata.uid === write.uid);
  if (!isThere) return comesAndGoes(write.object) ? undefined : told(gone(write.object, write.uid, object), at);
  // Values first: who changed a weight is more to the point than who took the token.
  const [first] = differences(object, write.object, write.fields);
  if (first) return told(first, at);
  const token = tokenOf(input.opId, write.stage);
  const found = tokenIn(object);
  return found === token ? undefined : told(difference(write.object, TOKEN_POINTER, token, found), at);
}

function told({ object, field, found, manager = '' }: Difference, at: number): Drift {
  return { kind: 'drift', at, object, field, manager, found };
}
