import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../src/clients/kubernetes/failure.ts';
import { POD, type Pod } from '../../src/clients/kubernetes/objects.ts';
import type { ApplyInput, ApplyResult } from '../../src/domain/lifecycle/contract.ts';
import { objectKey, tokenOf, type Write } from '../../src/domain/lifecycle/plan.ts';
import { applyStage, type WriteDeps } from '../writes/apply.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { replacePod } from '../writes/replace.ts';
import { tightBudget } from './budgets.ts';

const LOOK_MS = 500;

/**
 * Tells the nodes of the stage first, then replaces their agents, one batch after the other: no batch begins while an agent is away or a
 * PodDisruptionBudget allows nobody to go. An agent that does not come back in its time ends the replacing; the step after this one says so.
 */
export async function applyNodes(deps: WriteDeps, input: ApplyInput, signal: AbortSignal): Promise<ApplyResult> {
  const { stage } = input;
  const replaced = stage.writes.filter(({ kind }) => kind === 'replace');
  const told = stage.writes.filter(({ kind }) => kind !== 'replace');
  const result = await applyStage(deps, { ...input, stage: { ...stage, writes: told } }, signal);
  if (result.kind !== 'applied' || stage.number === 0 || replaced.length === 0) return result;
  const [config] = told;
  const batches = [...Map.groupBy(replaced, ({ successor }) => successor?.batch ?? 0).values()];
  for (const batch of batches) {
    if (!(await mayGo(deps, batch, signal))) break;
    if (config && !(await isOurs(deps, config, input, signal))) {
      return { kind: 'held', object: config.object, token: 'of somebody else, or of none' };
    }
    const back = await Promise.all(batch.map((write) => replaceOne(deps, input, write, signal)));
    const refused = back.find((one) => one !== 'back' && one !== 'away');
    if (refused) return refused as ApplyResult;
    if (back.includes('away')) break;
  }
  return { ...result, at: deps.now() };
}

async function replaceOne(
  deps: WriteDeps,
  { opId, stage, as }: ApplyInput,
  write: Write,
  signal: AbortSignal,
): Promise<'back' | 'away' | ApplyResult> {
  try {
    await replacePod(deps, write, tokenOf(opId, stage.number), { signal, as });
    deps.log.info({ opId, stage: stage.number, node: write.successor?.nodeName }, 'agent replaced');
    return 'back';
  } catch (error) {
    if (isFailure(error, 'Forbidden')) return { kind: 'forbidden', words: error.message };
    if (!isFailure(error, 'Timeout')) throw error;
    deps.log.warn({ opId, node: write.successor?.nodeName, err: error }, 'an agent has not come back');
    return 'away';
  }
}

/** An undo that has begun meanwhile takes what told the nodes away: nothing is replaced under it. */
async function isOurs({ cluster }: WriteDeps, { object }: Write, { opId, stage }: ApplyInput, signal: AbortSignal): Promise<boolean> {
  const live = await cluster.read(object, { signal });
  return live !== undefined && tokenIn(live) === tokenOf(opId, stage.number);
}

/** Waits until every other agent is ready and each budget of the agents lets one go; false: that did not come in the time that an agent has. */
async function mayGo(deps: WriteDeps, batch: readonly Write[], signal: AbortSignal): Promise<boolean> {
  const end = deps.now() + (batch[0]?.successor?.withinMs ?? 0);
  for (;;) {
    const why = await inTheWay(deps, batch, signal);
    if (why === undefined) return true;
    if (deps.now() >= end) {
      deps.log.warn({ why }, 'no agent may be replaced');
      return false;
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
}

async function inTheWay({ cluster }: WriteDeps, batch: readonly Write[], signal: AbortSignal): Promise<string | undefined> {
  const { namespace } = batch[0]?.object ?? { namespace: '' };
  const owner = batch[0]?.successor?.ownerUid;
  const pods = await cluster.list<Pod>(POD, { namespace, labelSelector: 'k8s-app=cilium' }, { signal });
  const going = new Set(batch.map(({ object }) => objectKey(object)));
  const nodes = new Set(batch.map(({ successor }) => successor?.nodeName));
  const away = pods.items.filter(
    ({ kind, metadata, spec, status }) =>
      metadata.ownerReferences?.some(({ uid }) => uid === owner) === true &&
      !going.has(objectKey({ apiVersion: 'v1', kind, namespace, name: metadata.name })) &&
      !nodes.has(spec.nodeName) &&
      !(status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false),
  );
  const [first] = away;
  if (first) return `the agent of ${first.spec.nodeName} is not ready`;
  const labels = pods.items[0]?.metadata.labels ?? {};
  const tight = await tightBudget(cluster, { namespace, labels, count: batch.length }, signal);
  return tight && `PodDisruptionBudget ${tight.name} lets ${tight.allowed} of ${batch.length} go`;
}
