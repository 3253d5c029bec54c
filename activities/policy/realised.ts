import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { CILIUM_ENDPOINT, type CiliumEndpoint, type CiliumPolicy, type Pod } from '../../src/clients/kubernetes/objects.ts';
import type { RealisedInput, RealisedResult } from '../../src/domain/lifecycle/contract.ts';
import type { PlannedStage, Write as PlannedWrite } from '../../src/domain/lifecycle/plan.ts';
import { COHORT_LABEL } from '../../src/domain/policy/stages/rule-document.ts';
import { COHORT_POINTER } from '../../src/domain/policy/stages/stages.ts';

/** Between two looks (ms): the operator and the agents take some hundred milliseconds each; a label takes up to half a minute. */
const LOOK_EVERY_MS = 200;
const LONGEST_PAUSE_MS = 1_000;
/** Requests under way at once. */
const AT_ONCE = 8;
const MOST_NAMED = 3;

type Write = Pick<PlannedWrite, 'object' | 'uid' | 'after'>;

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
  let labelled: readonly Write[] = stage.writes.filter(({ after }) => COHORT_POINTER in after);
  for (let pause = LOOK_EVERY_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const waiting = await waitingFor(cluster, stage, labelled, signal);
    // What has shown its label once is not asked again.
    labelled = waiting.flatMap(({ write }) => write ?? []);
    if (waiting.length === 0) return { kind: 'realised', afterMs: now() - startedAt };
    const final = waiting.find(({ hopeless }) => hopeless);
    if (final || now() - startedAt + pause > timeoutMs) {
      const words = final
        ? final.words
        : `${waiting
            .slice(0, MOST_NAMED)
            .map((one) => one.words)
            .join(
              '; ',
            )}${waiting.length > MOST_NAMED ? ` and ${waiting.length - MOST_NAMED} more` : ''}, ${timeoutMs / 1_000} s after it was written.`;
      return { kind: 'not-realised', words };
    }
    await sleep(pause, undefined, { signal });
  }
}

interface Waiting {
  readonly words: string;
  /** No waiting helps. */
  readonly hopeless?: boolean;
  /** The pod that is waited for. */
  readonly write?: Write;
}

async function waitingFor(
  cluster: Cluster,
  stage: PlannedStage,
  labelled: readonly Write[],
  signal: AbortSignal,
): Promise<readonly Waiting[]> {
  const policies = stage.writes.filter(({ object, kind }) => object.kind === 'CiliumNetworkPolicy' && kind !== 'delete');
  const [taken, shown] = await Promise.all([
    Promise.all(policies.map(async ({ object }) => validity(await cluster.read<CiliumPolicy>(object, { signal }), object.name))),
    identities(cluster, labelled, signal),
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

/** Pods whose identity does not show their label yet. Asked one by one: a stage labels few, and their namespace may hold thousands. */
async function identities(cluster: Cluster, writes: readonly Write[], signal: AbortSignal): Promise<readonly (Waiting | undefined)[]> {
  const answers: (Waiting | undefined)[] = [];
  for (let first = 0; first < writes.length; first += AT_ONCE) {
    answers.push(...(await Promise.all(writes.slice(first, first + AT_ONCE).map((write) => identity(cluster, write, signal)))));
  }
  return answers;
}

async function identity(cluster: Cluster, { object, uid, after }: Write, signal: AbortSignal): Promise<Waiting | undefined> {
  const { namespace, name } = object;
  const endpoint = await cluster.read<CiliumEndpoint>({ ...CILIUM_ENDPOINT, namespace, name }, { signal });
  const label = endpoint?.status?.identity?.labels?.find((one) => one.startsWith(`k8s:${COHORT_LABEL}=`));
  const value = label?.slice(`k8s:${COHORT_LABEL}=`.length) ?? null;
  // That of the pod before it, which had the same name (StatefulSet), may still be there.
  const isOfAnother = endpoint?.metadata.ownerReferences?.some((owner) => owner.kind === 'Pod' && (owner.uid ?? uid) !== uid) ?? false;
  if (endpoint && !isOfAnother && value === after[COHORT_POINTER]) return undefined;
  // A pod that has gone since has nothing to show.
  const pod = await cluster.read<Pod>(object, { signal });
  if (pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined) return undefined;
  return { words: `The identity of pod ${name} does not show its cohort label yet`, write: { object, uid, after } };
}
