import { type KubeObject, refOf } from '../../src/clients/kubernetes/objects.ts';
import type { PodPart } from '../../src/clients/kubernetes/parts.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { type ObjectRef, objectKey, parseToken } from '../../src/domain/lifecycle/plan.ts';
import type { Policy } from '../../src/domain/policy/policy.ts';
import { COHORT_LABEL } from '../../src/domain/policy/stages/rule-document.ts';
import { sentence } from '../../src/domain/words/sentences.ts';
import type { AuditLog } from '../../src/ports.ts';
import { inCohort, selects } from '../../src/reading/policy/subject.ts';
import type { SelectedPod } from '../../src/reading/policy/workload.ts';
import { inForce, type World } from '../../src/reading/policy/world.ts';
import { unhurried } from '../../src/reading/unhurried.ts';
import { type Impossible, impossible } from '../planning/impossible.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { withFields } from '../writes/manifest.ts';

/** An object of another operation, and the pod that its policy selects. */
interface UnderWay {
  readonly object: ObjectRef;
  readonly holder: string;
  readonly pod?: string;
}

/** What is asked of the record: who is under way, and with what. */
export type Holders = Pick<AuditLog, 'holds' | 'planned'>;

/**
 * Another operation that is under way on the same pods, which a new rollout cannot begin beside; or the label that one has left behind, which would
 * keep pods out of this one's cohorts.
 */
export async function checkOverlap(
  audit: Holders,
  world: World,
  pods: readonly SelectedPod[],
  opId: string,
): Promise<Impossible | undefined> {
  const held = await checkUnderWay(audit, world, pods, opId);
  const leftover = held ? undefined : labelledByOther(pods, opId);
  if (!leftover) return held;
  const { name, namespace, holder } = leftover;
  return impossible(
    'Leftover',
    `Pod ${namespace}/${name} still carries the label of ${holder}, which is over. Nothing was changed. Take it off, then run the command again: \`kubectl -n ${namespace} label pod ${name} ${COHORT_LABEL}-\``,
  );
}

/**
 * Another operation that is under way on the same pods: one of its policies selects them, did so before or is to, or they carry its label. Two
 * rollouts of one pod cannot be told apart by what happens to its traffic, and the shadow of one hides what the other drops.
 */
export async function underWay(audit: Holders, world: World, pods: readonly SelectedPod[], opId: string): Promise<UnderWay | undefined> {
  for (const document of world.documents) {
    const holder = parseToken(tokenIn(document) ?? '')?.opId;
    if (holder === undefined || holder === opId || !(await audit.holds(holder))) continue;
    const policies = inForce(await versionsOf(audit, document, holder), world.compile);
    const shared = await unhurried(firstSelected(policies, pods, holder));
    if (shared) return { object: refOf(document), holder, pod: shared.pod.metadata.name };
  }
  const checked = new Set<string>();
  for (const { pod } of pods) {
    const holder = labelOf(pod);
    if (holder === undefined || holder === opId || checked.has(holder)) continue;
    checked.add(holder);
    if (await audit.holds(holder)) return { object: refOf(pod), holder };
  }
  return undefined;
}

/** The first pod that one of the policies selects as it is, or once it is in the holder's cohort. */
function* firstSelected(
  policies: readonly Policy[],
  pods: readonly SelectedPod[],
  holder: string,
): Generator<undefined, SelectedPod | undefined> {
  const asked = new Set<readonly string[]>();
  for (const one of pods) {
    const { labels } = one;
    if (asked.has(labels)) continue;
    asked.add(labels);
    if ([labels, inCohort(labels, holder)].some((set) => policies.some((policy) => selects(policy, set)))) return one;
    yield undefined;
  }
  return undefined;
}

/** The refusal of a plan that `underWay` speaks against. */
export async function checkUnderWay(...asked: Parameters<typeof underWay>): Promise<Impossible | undefined> {
  const found = await underWay(...asked);
  if (!found) return undefined;
  const { object, holder, pod } = found;
  const which = pod === undefined ? '' : `, which selects pod ${pod},`;
  return impossible('Held', sentence('Held', { object: `${object.kind} ${object.namespace}/${object.name}${which}`, opId: holder }));
}

/** A policy as it is, and as its operation found it and plans it: while it is claimed, or taken out of force to be watched, it selects nobody. */
async function versionsOf(audit: Holders, document: KubeObject, holder: string): Promise<readonly JsonObject[]> {
  const live = document as unknown as JsonObject;
  const key = objectKey(refOf(document));
  const writes = (await audit.planned?.(holder)) ?? [];
  const fields = writes.flatMap(({ object, before, after }) => (objectKey(object) === key ? [before, after] : []));
  const versions = [live, ...fields.map((one) => withFields(live, one))];
  return [...new Map(versions.map((one) => [JSON.stringify([one['spec'], one['specs']]), one])).values()];
}

function labelledByOther(pods: readonly SelectedPod[], opId: string) {
  for (const { pod } of pods) {
    const holder = labelOf(pod);
    const { name, namespace } = pod.metadata;
    if (holder !== undefined && holder !== opId) return { name, namespace, holder };
  }
  return undefined;
}

function labelOf({ metadata }: PodPart): string | undefined {
  return metadata.labels?.[COHORT_LABEL];
}
