import { parseToken } from '../../src/domain/plan.ts';
import { COHORT_LABEL } from '../../src/domain/policy/stages/rule-document.ts';
import { sentence } from '../../src/domain/sentences.ts';
import { refOf } from '../clients/kubernetes/objects.ts';
import type { AuditLog } from '../ports.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { type Impossible, impossible } from './checks.ts';
import { inCohort, selects } from './subject.ts';
import type { SelectedPod } from './workload.ts';
import { inForce, type World } from './world.ts';

/**
 * Another operation that is under way on the same pods: one of its policies selects them, or they carry its label. Two rollouts of one pod
 * cannot be told apart by what happens to its traffic, and the shadow of one hides what the other drops.
 */
export async function checkOverlap(
  audit: Pick<AuditLog, 'holds'>,
  world: World,
  pods: readonly SelectedPod[],
  opId: string,
): Promise<Impossible | undefined> {
  for (const document of world.documents) {
    const holder = parseToken(tokenIn(document) ?? '')?.opId;
    if (holder === undefined || holder === opId) continue;
    const [policy] = inForce([document], world.compile);
    const shared = policy && pods.find(({ labels }) => [labels, inCohort(labels, holder)].some((one) => selects(policy, one)));
    if (!shared || !(await audit.holds(holder))) continue;
    const { kind, namespace, name } = refOf(document);
    return impossible(
      'Held',
      sentence('Held', { object: `${kind} ${namespace}/${name}, which selects pod ${shared.pod.metadata.name}`, opId: holder }),
    );
  }
  for (const { pod } of pods) {
    const holder = pod.metadata.labels?.[COHORT_LABEL];
    if (holder === undefined || holder === opId) continue;
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (await audit.holds(holder)) return impossible('Held', sentence('Held', { object: `Pod ${name}`, opId: holder }));
    const command = `kubectl -n ${pod.metadata.namespace} label pod ${pod.metadata.name} ${COHORT_LABEL}-`;
    return impossible(
      'Leftover',
      `Pod ${name} still carries the label of ${holder}, which is over. Nothing was changed. Take it off, then run the command again: \`${command}\``,
    );
  }
  return undefined;
}
