import type { JsonObject } from '../../src/domain/json.ts';
import { type Original, objectKey, type Plan, parseToken } from '../../src/domain/plan.ts';
import type { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import type { PolicyStages } from '../../src/domain/policy/stages/stages.ts';
import { sentence } from '../../src/domain/sentences.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';
import { refOf } from '../clients/kubernetes/objects.ts';
import type { PlanInput, PlanResult } from '../contract.ts';
import { checkGitOps } from '../gitops/gitops.ts';
import { digestOf, hashOf, planHashOf } from '../writes/digest.ts';
import { dryRunStages } from '../writes/dry-run.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { type Impossible, impossible } from './checks.ts';
import type { PlanDeps } from './plan.ts';

/** A plan travels with every watch of its operation; beyond this many characters it would not fit (Temporal's limit is 2 MB a payload). */
const MOST_CHARACTERS = 400_000;

export interface Planned extends Pick<Plan, 'from' | 'to' | 'explanation' | 'watched' | 'attachment'> {
  readonly planned: Pick<PolicyStages, 'stages'>;
  readonly details: PolicyDetails;
  readonly existing: KubeObject | undefined;
  readonly pods: readonly KubeObject[];
  /** How long a pod's new label takes to count (ms), where pods are labelled. */
  readonly identityMs?: number;
  /** What people approve. Absent: every write as it is. */
  readonly approved?: JsonObject;
}

/** An object of the plan that another operation holds; or that this one holds already, which a second plan cannot begin from. */
export async function checkHeld(
  { audit }: Pick<PlanDeps, 'audit'>,
  objects: readonly KubeObject[],
  { stages }: Pick<PolicyStages, 'stages'>,
  opId: string,
): Promise<Impossible | undefined> {
  const touched = new Set(stages.flatMap(({ writes }) => writes.map(({ object }) => objectKey(object))));
  for (const object of objects) {
    const ref = refOf(object);
    const token = tokenIn(object);
    if (token === null || !touched.has(objectKey(ref))) continue;
    const holder = parseToken(token)?.opId;
    if (holder === opId) {
      const words = 'The rollout had begun when somebody else changed its objects: what they changed cannot be taken into it.';
      return impossible('Drift', `${words} Everything is put back; run the command again.`);
    }
    if (holder === undefined || !(await audit.holds(holder))) continue;
    const name = `${ref.kind} ${ref.namespace}/${ref.name}`;
    return impossible('Held', sentence('Held', { object: name, opId: holder }));
  }
  return undefined;
}

/** The strict dry run of every write, and the plan as people and the workflow see it: with its hash, and with what was before. */
export async function finish(deps: PlanDeps, input: PlanInput, planned: Planned, signal: AbortSignal): Promise<PlanResult> {
  const { request } = input;
  const { stages } = planned.planned;
  const live = [...(planned.existing ? [planned.existing] : []), ...planned.pods];
  const refused = await dryRunStages(deps.cluster, live, stages, request, signal);
  if (refused) return refused;
  const isBack = request.change.kind === 'back' || request.change.kind === 'relax';
  const objects = planned.existing ? [planned.existing] : [];
  const gitOps = await checkGitOps(deps, { request, objects, stages, isBack }, signal);
  if ('kind' in gitOps) return gitOps;
  const { from, to, watched, details, attachment, approved, identityMs } = planned;
  const plan: Plan = {
    verb: 'policy',
    target: request.target,
    from,
    to,
    explanation: [...planned.explanation, ...gitOps.words],
    watched,
    stages,
    originals: originalsOf(live, stages, input.originals),
    details: { ...details },
    ...(attachment && { attachment }),
    ...(gitOps.attachment && { gitOps: gitOps.attachment }),
    ...(identityMs && { realiseMs: request.settings.realiseMs + identityMs }),
    planHash: approved ? hashOf(approved) : planHashOf(stages),
  };
  if (JSON.stringify(plan).length <= MOST_CHARACTERS) return { kind: 'plan', plan };
  const words = 'The policy is too large to be rolled out by cohorts: every stage carries it as it was and as it will be.';
  return impossible('TooLarge', `${words} Nothing was changed. Split it into smaller policies.`);
}

/** What was before, of everything that a stage writes. For a further step it stays what it was. */
function originalsOf(live: readonly KubeObject[], stages: Plan['stages'], earlier: readonly Original[] = []): readonly Original[] {
  const objects = new Map(live.map((object) => [objectKey(refOf(object)), object]));
  const originals = new Map(earlier.map((original) => [objectKey(original.object), original]));
  for (const write of stages.flatMap(({ writes }) => writes)) {
    const key = objectKey(write.object);
    const known = originals.get(key);
    if (known) {
      originals.set(key, { ...known, fields: { ...write.before, ...known.fields } });
      continue;
    }
    const object = objects.get(key);
    const { object: ref, uid, before: fields } = write;
    if (object) originals.set(key, { object: ref, uid, fields, token: tokenIn(object), digest: digestOf(object) });
    else originals.set(key, { object: ref, uid, fields, manifest: null, token: null, digest: '' });
  }
  return [...originals.values()];
}
