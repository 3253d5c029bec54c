import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure, isFailure } from '../../src/clients/kubernetes/failure.ts';
import { POD, type Pod } from '../../src/clients/kubernetes/objects.ts';
import type { RestoreInput } from '../../src/domain/lifecycle/contract.ts';
import { objectKey, parseToken, tokenOf, type Write } from '../../src/domain/lifecycle/plan.ts';
import type { Log } from '../../src/log.ts';
import { guardedPatch, isBare, tokenIn } from './guarded-patch.ts';

interface Deps {
  readonly cluster: Cluster;
  readonly now: () => number;
  readonly log: Log;
}
type As = Parameters<Cluster['read']>[1];
interface Replaced {
  readonly write: Write;
  readonly stage: number;
}

/** How long the pod that comes next may take to be ready; then the attempt ends and is repeated (ms). */
const READY_MS = 120_000;
const LOOK_MS = 500;

/**
 * Deletes exactly this pod and waits until its owner has another one ready on the same node, which then carries the operation's token. May
 * be repeated: a pod that has gone already is only waited for.
 */
export async function replacePod(deps: Deps, write: Write, token: string, options: As): Promise<Pod> {
  await remove(deps, write.uid, await present(deps, write, options), options);
  return marked(deps, await untilReady(deps, write, write.uid, options), token, options);
}

async function marked(deps: Deps, next: Pod, token: string, options: As): Promise<Pod> {
  if (tokenIn(next) === token) return next;
  const claim = { uid: next.metadata.uid, token: { from: tokenIn(next), to: token }, from: {}, to: {}, bare: isBare(next) };
  const ref = { ...POD, namespace: next.metadata.namespace ?? '', name: next.metadata.name };
  return (await deps.cluster.patch(ref, guardedPatch(claim), { signal: options.signal })) as Pod;
}

/**
 * The undo of it, once everything else is as it was: what this operation has brought up goes once more, so that what comes up knows the old
 * state. Told by its token; a pod without any is replaced too, since an apply may have died before it could give it one.
 */
export async function replaceBack(
  deps: Deps,
  { opId, written, holder, harmed = [] }: Pick<RestoreInput, 'opId' | 'written' | 'holder' | 'harmed'>,
  options: As & { readonly progress?: ((done: number, of: number) => void) | undefined },
): Promise<void> {
  const upTo = holder === 'operation' ? Number.POSITIVE_INFINITY : holder.stage;
  const writes = written
    .filter(({ stage }) => stage > 0 && stage <= upTo)
    .flatMap((one) => one.writes.filter(({ kind }) => kind === 'replace').map((write) => ({ write, stage: one.stage })));
  const once = [...new Map(writes.map((one) => [objectKey(one.write.object), one])).values()];
  const rank = ({ successor }: Write): number => harmed.indexOf(successor?.nodeName ?? '') + 1 || harmed.length + 1;
  const inOrder = await awayFirst(
    deps,
    once.toSorted((a, b) => rank(a.write) - rank(b.write)),
    options,
  );
  // What was replaced together is replaced together again: in between its nodes may not understand each other.
  const groups = [...Map.groupBy(inOrder, ({ write, stage }) => `${stage}/${write.successor?.batch ?? objectKey(write.object)}`).values()];
  let done = 0;
  let late: unknown;
  for (const group of groups) {
    options.progress?.(done, once.length);
    const results = await Promise.allSettled(group.map(({ write }) => replaceOneBack(deps, opId, write, options)));
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      if (!isFailure(result.reason, 'Timeout')) throw result.reason;
      // The others are not left as they are because of one that does not come back; it is tried again.
      late = result.reason;
    }
    done += group.length;
  }
  if (late) throw late as Error;
  if (once.length > 0) options.progress?.(once.length, once.length);
}

async function replaceOneBack(deps: Deps, opId: string, write: Write, options: As): Promise<void> {
  const back = tokenOf(opId, 0);
  const now = await present(deps, write, options);
  const token = now && tokenIn(now);
  const isOurs = token === null || (token !== undefined && parseToken(token)?.opId === opId);
  // What a fuse has replaced back knows the old state: the undo that follows it does not do it once more.
  if (now && (now.metadata.uid === write.uid || !isOurs || token === back)) return;
  if (now) await remove(deps, now.metadata.uid, now, options);
  await marked(deps, await untilReady(deps, write, now?.metadata.uid ?? write.uid, options), back, options);
}

/** Who is away already comes first, whoever is harmed most: to replace another one beside it would take a second one away. */
async function awayFirst({ cluster }: Deps, writes: readonly Replaced[], options: As): Promise<readonly Replaced[]> {
  const [first] = writes;
  if (!first) return [];
  const { items } = await cluster.list<Pod>(POD, { namespace: first.write.object.namespace }, options);
  const ready = new Set(writes.filter(({ write }) => isReady(presentIn(items, write))));
  return [...writes.filter((one) => !ready.has(one)), ...ready];
}

async function present({ cluster }: Deps, write: Write, options: As): Promise<Pod | undefined> {
  // Those of its node alone: in a large cluster all agents are many megabytes, and they are looked at several times for each.
  const fieldSelector = `spec.nodeName=${write.successor?.nodeName}`;
  const { items } = await cluster.list<Pod>(POD, { namespace: write.object.namespace, fieldSelector }, options);
  return presentIn(items, write);
}

/** The pod of this owner on this node; the newest where an old one is still going. */
function presentIn(items: readonly Pod[], { successor }: Write): Pod | undefined {
  const ofOwner = items.filter(
    ({ metadata, spec }) =>
      spec.nodeName === successor?.nodeName && metadata.ownerReferences?.some(({ uid }) => uid === successor?.ownerUid) === true,
  );
  return ofOwner.find(({ metadata }) => metadata.deletionTimestamp === undefined) ?? ofOwner[0];
}

async function remove({ cluster, log }: Deps, uid: string, pod: Pod | undefined, options: As): Promise<void> {
  if (!pod || pod.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined) return;
  const { namespace = '', name } = pod.metadata;
  try {
    await cluster.remove({ ...POD, namespace, name }, pod.metadata, options);
    log.info({ pod: `${namespace}/${name}` }, 'pod deleted, to be replaced by its owner');
  } catch (error) {
    if (!isFailure(error, 'NotFound')) throw error;
  }
}

async function untilReady(deps: Deps, write: Write, uid: string, options: As): Promise<Pod> {
  const end = deps.now() + (write.successor?.withinMs ?? READY_MS);
  for (;;) {
    const pod = await present(deps, write, options);
    if (pod && isReady(pod) && pod.metadata.uid !== uid && pod.metadata.deletionTimestamp === undefined) return pod;
    if (deps.now() >= end) throw new ClusterFailure('Timeout', `${objectKey(write.object)}: no pod is ready in its place yet`);
    await sleep(LOOK_MS, undefined, { signal: options.signal });
  }
}

function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}
