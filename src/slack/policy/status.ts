// `policy status`: which policies select a workload, what they close, and what runs on it.

import type { Condition, KubeObject } from '../../clients/kubernetes/objects.ts';
import type { PolicyCommand } from '../../domain/commands/command.ts';
import { LabelSet } from '../../domain/policy/identity.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import { DIRECTIONS, type Direction, type Policy } from '../../domain/policy/policy.ts';
import { formatTarget } from '../../domain/target.ts';
import { code, plural, said } from '../../domain/words/words.ts';
import type { SeenWorkload } from '../../reading/policy/seen-workload.ts';
import { selects } from '../../reading/policy/subject.ts';
import { LOOKED_FOR } from '../../reading/policy/workload-kinds.ts';
import type { World } from '../../reading/policy/world.ts';
import { type Answer, section } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { refusalOf } from '../refusals.ts';
import { isRefused } from '../rules.ts';
import { statusOfAll, statusOfOne } from '../status.ts';
import { clusterSilent } from './candidate.ts';
import type { PolicyAsked } from './parts.ts';
import { noteAsked, refused } from './refuse.ts';

const READ_MS = 5_000;

export async function policyStatus(
  deps: BotDeps,
  asked: PolicyAsked,
  command: Extract<PolicyCommand, { kind: 'policy status' }>,
): Promise<Answer> {
  if (!command.workload) return statusOfAll(deps, asked.rule);
  const target = asked.rule.resolve(command.workload, command.kind);
  if (isRefused(target)) return refused(deps, asked, target);
  noteAsked(deps, asked, target);
  const signal = AbortSignal.timeout(READ_MS);
  try {
    const [workload, world, running] = await Promise.all([
      deps.policy.workload(target, signal),
      deps.policy.world(target.cluster, target.namespace, signal),
      statusOfOne(deps, target, asked.actor),
    ]);
    if (!workload) {
      const looked = LOOKED_FOR;
      return refused(deps, asked, refusalOf({ code: 'NoWorkload', parameters: { workload: formatTarget(target), looked } }), target);
    }
    const lines = [
      `*Policies of ${code(formatTarget(target))}* (${workload.kind}, ${plural(workload.pods.length, 'pod')})`,
      ...policyLines(workload, world),
    ];
    return { text: [...lines, running.text].join('\n'), blocks: [section(lines.join('\n')), ...(running.blocks ?? [])] };
  } catch (error) {
    return refused(deps, asked, refusalOf(clusterSilent(target.cluster, error)), target);
  }
}

function policyLines({ pods }: SeenWorkload, { documents, compile }: World): readonly string[] {
  const labels = pods.map((pod) => pod.labels);
  const context = compile.clusterName === undefined ? {} : { clusterName: compile.clusterName };
  const closed: Record<Direction, boolean> = { egress: false, ingress: false };
  const lines = documents.flatMap((document): readonly string[] => {
    const parsed = parsePolicy(document, context);
    if (!parsed.ok) return [`•  ${nameOf(document)}: *not in force*, Cilium rejects it: ${said(parsed.error, 300)}`];
    const selected = labels.filter((one) => selects(parsed.policy, one));
    if (selected.length === 0) return [];
    const closing = DIRECTIONS.filter((direction) => selected.some((one) => closes(parsed.policy, one, direction)));
    for (const direction of closing) closed[direction] = true;
    const some = selected.length < labels.length ? `, selects ${selected.length} of ${labels.length} pods` : '';
    const denies = closing.length > 0 ? `default deny for ${closing.join(' and ')}` : 'no default deny';
    return [`•  ${nameOf(document)}: ${denies}${some}${validity(document)}`];
  });
  const summary = DIRECTIONS.map((direction) => `${direction}: ${closed[direction] ? '*default deny*' : 'open'}`).join(', ');
  return [summary, ...(lines.length === 0 ? ['No policy selects it.'] : lines)];
}

function closes(policy: Policy, labels: readonly string[], direction: Direction): boolean {
  const set = new LabelSet(labels, 0);
  return policy.rules.some(
    (rule) =>
      rule.direction === direction &&
      rule.defaultDeny &&
      !rule.subject.node &&
      rule.subject.requirements.every((requirement) => set.meets(requirement)),
  );
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${code(metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name)}`;
}

/** The operator's word: parsed, not enforced. Kubernetes' own policies have none. */
function validity(document: KubeObject): string {
  if (document.kind === 'NetworkPolicy') return '';
  const { conditions = [] } = (document['status'] ?? {}) as { readonly conditions?: readonly Condition[] };
  const valid = conditions.find(({ type }) => type === 'Valid');
  if (!valid) return ', validity not said yet';
  return valid.status === 'True' ? ', valid' : `, *not valid*: ${said(valid.message ?? valid.reason ?? 'no reason given', 300)}`;
}
