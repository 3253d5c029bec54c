// How it was: all pods and endpoints of the namespace, every 200 ms, each list in one answer.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { CILIUM_ENDPOINT, type CiliumEndpoint, type CiliumPolicy, POD, type Pod } from '../../../src/clients/kubernetes/objects.ts';
import type { RealisedInput, RealisedResult } from '../../../src/domain/lifecycle/contract.ts';
import type { PlannedStage } from '../../../src/domain/lifecycle/plan.ts';
import { COHORT_LABEL } from '../../../src/domain/policy/stages/rule-document.ts';
import { COHORT_POINTER } from '../../../src/domain/policy/stages/stages.ts';

/** Between two looks (ms): the operator and the agents take some hundred milliseconds each. */
const LOOK_EVERY_MS = 200;

/**
 * Waits until Cilium has taken the policies of the stage (condition Valid), and until the identity of every pod whose label the stage changes
 * shows it: a selector on a label that is no part of the identity would select nobody. That is as far as the API tells; what agents have made
 * of it shows in the flows of the watch.
 */
export async function realised(
  { cluster, now }: { readonly cluster: Cluster; readonly now: () => number },
  { stage, timeoutMs }: RealisedInput,
  signal: AbortSignal,
): Promise<RealisedResult> {
  const startedAt = now();
  for (;;) {
    const waiting = await waitingFor(cluster, stage, signal);
    if (waiting.length === 0) return { kind: 'realised', afterMs: now() - startedAt };
    const final = waiting.find(({ hopeless }) => hopeless);
    if (final || now() - startedAt + LOOK_EVERY_MS > timeoutMs) {
      const words = final ? final.words : `${waiting.map((one) => one.words).join('; ')}, ${timeoutMs / 1_000} s after it was written.`;
      return { kind: 'not-realised', words };
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

interface Waiting {
  readonly words: string;
  /** No waiting helps. */
  readonly hopeless?: boolean;
}

async function waitingFor(cluster: Cluster, stage: PlannedStage, signal: AbortSignal): Promise<readonly Waiting[]> {
  const policies = stage.writes.filter(({ object, kind }) => object.kind === 'CiliumNetworkPolicy' && kind !== 'delete');
  const labelled = stage.writes.filter(({ after }) => COHORT_POINTER in after);
  const [taken, shown] = await Promise.all([
    Promise.all(policies.map(async ({ object }) => validity(await cluster.read<CiliumPolicy>(object, { signal }), object.name))),
    labelled.length === 0 ? [] : identities(cluster, labelled, signal),
  ]);
  return [...taken, ...shown].filter((one) => one !== undefined);
}

/** The operator's word on a policy. It carries no generation, so it says that the policy parses, not that it is in force. */
function validity(policy: CiliumPolicy | undefined, name: string): Waiting | undefined {
  if (!policy) return { words: `Policy ${name} does not exist any more`, hopeless: true };
  const valid = policy.status?.conditions?.find(({ type }) => type === 'Valid');
  if (!valid) return { words: `Cilium has not said yet whether policy ${name} is valid` };
  if (valid.status === 'True') return undefined;
  // The word may still be about what was there before.
  return { words: `Cilium does not take policy ${name}: ${valid.message ?? valid.reason ?? 'not valid'}` };
}

async function identities(
  cluster: Cluster,
  writes: PlannedStage['writes'],
  signal: AbortSignal,
): Promise<readonly (Waiting | undefined)[]> {
  const namespace = writes[0]?.object.namespace ?? '';
  const [pods, endpoints] = await Promise.all([
    cluster.list<Pod>(POD, { namespace }, { signal }),
    cluster.list<CiliumEndpoint>(CILIUM_ENDPOINT, { namespace }, { signal }),
  ]);
  const live = new Set(pods.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.uid));
  const labelsOf = new Map(endpoints.items.map(({ metadata, status }) => [metadata.name, status?.identity?.labels ?? []]));
  return writes.map(({ object, uid, after }) => {
    // A pod that has gone since has nothing to show.
    if (!live.has(uid)) return undefined;
    const label = labelsOf.get(object.name)?.find((one) => one.startsWith(`k8s:${COHORT_LABEL}=`));
    const value = label?.slice(`k8s:${COHORT_LABEL}=`.length) ?? null;
    if (labelsOf.has(object.name) && value === after[COHORT_POINTER]) return undefined;
    return { words: `The identity of pod ${object.name} does not show its cohort label yet` };
  });
}
