import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { type KubeObject, refOf } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { type Original, objectKey, type Plan, type Write } from '../../src/domain/lifecycle/plan.ts';
import { digestOf, hashOf, planHashOf } from '../writes/digest.ts';
import { dryRunStages } from '../writes/dry-run.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { checkGitOps } from './gitops.ts';

/** A plan before its end: everything that only its verb can say. */
export interface Draft extends Omit<Plan, 'verb' | 'target' | 'originals' | 'planHash' | 'gitOps'> {
  /** What its stages write, as it is now; an object that is not there is made. */
  readonly live: readonly KubeObject[];
  /** Those of them that Git may apply. Absent: all. */
  readonly fromGit?: readonly KubeObject[];
  /** It only takes something back: no tool is a reason to refuse it. */
  readonly isBack: boolean;
  /** Fields that go back alone when people leave what others wrote. */
  readonly own?: (write: Write) => readonly string[];
  /** What people approve. Absent: every write as it is. */
  readonly approved?: JsonObject;
}

/**
 * The end of every plan: each write is tried in a strict dry run as the person, the tools that apply its objects from Git are named, and it
 * gets what was before and its hash.
 */
export async function seal(
  deps: { readonly cluster: Cluster },
  { request, originals }: PlanInput,
  { live, fromGit = live, isBack, own, approved, ...draft }: Draft,
  signal: AbortSignal,
): Promise<PlanResult> {
  const { stages } = draft;
  const unwritable = await dryRunStages(deps.cluster, live, stages, request, signal);
  if (unwritable) return unwritable;
  const gitOps = await checkGitOps(deps, { request, objects: fromGit, stages, isBack }, signal);
  if ('kind' in gitOps) return gitOps;
  return {
    kind: 'plan',
    plan: {
      verb: request.verb,
      target: request.target,
      ...draft,
      explanation: [...draft.explanation, ...gitOps.words],
      ...(gitOps.attachment && { gitOps: gitOps.attachment }),
      originals: originalsOf(live, stages, own, originals),
      planHash: approved ? hashOf(approved) : planHashOf(stages),
    },
  };
}

/** What was before, of everything that a stage writes. For a further step it stays what it was; fields that are new to it are as they are now. */
function originalsOf(
  live: readonly KubeObject[],
  stages: Plan['stages'],
  own: Draft['own'],
  earlier: readonly Original[] = [],
): readonly Original[] {
  const objects = new Map(live.map((object) => [objectKey(refOf(object)), object]));
  const before = new Map(earlier.map((original) => [objectKey(original.object), original]));
  const originals = new Map<string, Original>();
  // A pod that is replaced has nothing to be put back: its undo is to replace it once more.
  for (const write of stages.flatMap(({ writes }) => writes.filter(({ kind }) => kind !== 'replace'))) {
    const key = objectKey(write.object);
    const known = originals.get(key) ?? before.get(key);
    const owned = own && { own: [...new Set([...(known?.own ?? []), ...own(write)])] };
    const { object: ref, uid, before: fields } = write;
    const object = objects.get(key);
    if (known) originals.set(key, { ...known, fields: { ...fields, ...known.fields }, ...owned });
    else if (object) originals.set(key, { object: ref, uid, fields, ...owned, token: tokenIn(object), digest: digestOf(object) });
    else originals.set(key, { object: ref, uid, fields, ...owned, manifest: null, token: null, digest: '' });
  }
  // What an earlier step wrote goes back too, whether this one writes it again or not.
  for (const [key, original] of before) if (!originals.has(key)) originals.set(key, original);
  return [...originals.values()];
}
