import type { CiliumPolicy } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { OperationRequest } from '../../src/domain/lifecycle/operation.ts';
import type { Policy } from '../../src/domain/policy/policy.ts';
import { directionsOf, rulesOf } from '../../src/domain/policy/stages/rule-document.ts';
import { selectionOf } from '../../src/reading/policy/subject.ts';
import type { SelectedPod } from '../../src/reading/policy/workload.ts';
import { inForce, type World } from '../../src/reading/policy/world.ts';
import { type Impossible, impossible } from '../planning/impossible.ts';

type Replaced = { readonly kind: 'refused'; readonly refusal: Impossible } | { readonly kind: 'words'; readonly words: readonly string[] };

const MOST_NAMED = 5;

/**
 * The policy of the candidate's name may protect other pods: replacing it takes that from them, silently. Refused unless the command says
 * `--replace`, and then an approver must see what is lost.
 */
export function* checkReplaced(
  request: OperationRequest,
  existing: CiliumPolicy | undefined,
  candidate: Policy,
  all: readonly SelectedPod[],
  world: World,
): Generator<undefined, Replaced> {
  const [now] = existing ? inForce([existing], world.compile) : [];
  const [had, has] = [now && selectionOf(now), selectionOf(candidate)];
  const losing: SelectedPod[] = [];
  for (const one of had ? all : []) {
    if (had?.(one.labels) && !has(one.labels)) losing.push(one);
    yield undefined;
  }
  if (!existing || losing.length === 0) return { kind: 'words', words: [] };
  const names = losing.map(({ pod }) => pod.metadata.name);
  const named = `${names.slice(0, MOST_NAMED).join(', ')}${names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''}`;
  const lost = `${losing.length} other pods lose the protection of policy ${candidate.name}: ${named}. What they lose: ${rulesWords(existing as unknown as JsonObject)}.`;
  const { change, settings } = request;
  const isMeant = change.kind === 'enforce' && change.replace === true;
  if (!isMeant) {
    const words = `The name is taken: ${lost} Nothing was changed. Give the policy another name; if that loss is meant, add \`--replace\`, and approvers see it.`;
    return { kind: 'refused', refusal: impossible('NameTaken', words) };
  }
  if (settings.gates.length > 0) return { kind: 'words', words: [lost] };
  const words = `${lost} Nothing was changed. That needs an approver, and no gate rule of the configuration names any.`;
  return { kind: 'refused', refusal: impossible('NeedsApprover', words) };
}

/** `default deny for ingress with 2 entries`. */
function rulesWords(document: JsonObject): string {
  const rules = rulesOf(document);
  return directionsOf(rules)
    .map((direction) => {
      const entries = rules.flatMap((rule) => [rule[direction], rule[`${direction}Deny`]].filter(Array.isArray).flat()).length;
      return `the rules for ${direction} (${entries} ${entries === 1 ? 'entry' : 'entries'})`;
    })
    .join(' and ');
}
