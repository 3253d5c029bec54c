import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { Counts, Harmful } from '../../src/domain/judge/verdict.ts';
import type { RestoreInput, WatchResult } from '../../src/domain/lifecycle/contract.ts';
import { type Original, parseToken } from '../../src/domain/lifecycle/plan.ts';
import { inParallel, URGENT_AT_ONCE } from '../../src/fan-out.ts';
import { differences } from '../writes/differences.ts';
import { digestOf } from '../writes/digest.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { comesAndGoes } from '../writes/written.ts';
import type { Progress } from './progress.ts';

/**
 * An attempt that fires while Temporal is out of reach cannot say so: its heartbeat is lost, and its result comes too late. The next
 * attempt finds the mesh as it was before the operation, which is no other hand's drift. It is told here what happened.
 */

/** More than one worker can have in the air; older ones have long been told or given up. */
const MOST_KEPT = 64;
const BEAT_MS = 250;

/** What attempts of one activity in this process tell each other. */
export interface Sibling {
  /** What an attempt that has fired ended with, or will. */
  told(): Promise<WatchResult> | undefined;
  /** A fuse that could not write in the end is forgotten: the next attempt fires again. */
  keep(result: Promise<WatchResult>): void;
  /** Ends the attempt that watches here, if one does, and is ended by the next. */
  takeOver(stop: () => void): void;
  leave(stop: () => void): void;
  /** Registers a guard, which the next watch of its operation relieves. */
  guards(relieve: () => void): void;
  /** This watch is open: guards of the same operation that began before it end with what they have seen. */
  relieveGuards(): void;
}

/** A watch as Temporal names it: the run of its operation, and the number of its activity in it. */
export interface Activity {
  readonly run: string;
  readonly id: string;
}

/** The watches of this process: those that live, and those that have fired. */
export class Siblings {
  readonly #results = new Map<string, Promise<WatchResult>>();
  readonly #live = new Map<string, () => void>();
  readonly #guards = new Map<string, Map<string, () => void>>();

  /** The same for all attempts, and for nothing else. */
  of({ run, id }: Activity): Sibling {
    const activity = `${run}/${id}`;
    return {
      told: () => this.#results.get(activity),
      keep: (result) => {
        this.#results.set(activity, result);
        result.catch(() => this.#results.delete(activity));
        const [oldest] = this.#results.keys();
        if (oldest !== undefined && this.#results.size > MOST_KEPT) this.#results.delete(oldest);
      },
      takeOver: (stop) => {
        this.#live.get(activity)?.();
        this.#live.set(activity, stop);
      },
      leave: (stop) => {
        if (this.#live.get(activity) !== stop) return;
        this.#live.delete(activity);
        const guards = this.#guards.get(run);
        if (guards?.delete(id) && guards.size === 0) this.#guards.delete(run);
      },
      guards: (relieve) => {
        const guards = this.#guards.get(run) ?? new Map<string, () => void>();
        this.#guards.set(run, guards.set(id, relieve));
      },
      relieveGuards: () => {
        // An attempt of an older guard that comes late relieves nobody.
        for (const [other, relieve] of this.#guards.get(run) ?? []) if (Number(other) < Number(id)) relieve();
      },
    };
  }
}

/** Says once more what an earlier attempt has ended with. Heartbeats while its fuse is still at it. */
export async function retold(context: Context, before: Progress | undefined, earlier: Promise<WatchResult>): Promise<WatchResult> {
  const beating = setInterval(() => context.heartbeat(before), BEAT_MS);
  try {
    return await earlier;
  } finally {
    clearInterval(beating);
  }
}

/** A fuse writes several objects one after the other; milliseconds until all of them are back. */
const UNDO_TAKES_MS = 2_000;
const LOOK_MS = 50;

/** Is every object as it was before the operation, its token gone? Waits a little where some are and some are not yet. */
export async function isUndone(cluster: Cluster, { opId, originals }: RestoreInput, signal: AbortSignal): Promise<boolean> {
  const end = performance.now() + UNDO_TAKES_MS;
  for (;;) {
    const back = await inParallel(originals, URGENT_AT_ONCE, async (original) =>
      isAsBefore(opId, original, await cluster.read(original.object, { signal })),
    );
    if (back.every(Boolean)) return true;
    // What has not even begun to be put back was changed by somebody else.
    if (!back.some(Boolean) || performance.now() > end) return false;
    await sleep(LOOK_MS, undefined, { signal });
  }
}

function isAsBefore(opId: string, original: Original, object: KubeObject | undefined): boolean {
  const { manifest, token, fields } = original;
  if (manifest === null) return object === undefined;
  if (!object) return comesAndGoes(original.object);
  if (object.metadata.uid !== original.uid) {
    if (manifest) return digestOf(object) === original.digest;
    // Another pod of the same name has nothing of the operation, unless it was labelled in its turn.
    return comesAndGoes(original.object) && parseToken(tokenIn(object) ?? '')?.opId !== opId;
  }
  return tokenIn(object) === token && differences(object, original.object, fields).length === 0;
}

/** The verdict of an attempt that can no longer be asked. `at`: when its undo was found (epoch ms). */
export function lostVerdict(counts: Counts, at: number): Harmful {
  return {
    kind: 'harmful',
    judge: 'earlier',
    counts,
    firstHarmAt: at,
    decidedAt: at,
    logEvidence: 0,
    logThreshold: 0,
    words: 'A watch that had lost its line to Temporal found harm and put everything back; its own numbers are lost with it.',
  };
}
