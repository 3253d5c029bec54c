import type { Flows } from '../../src/clients/hubble/flows.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { lintDocument } from '../../src/domain/policy/lint/lint.ts';
import { parsePolicy } from '../../src/domain/policy/parse.ts';
import { becomesIdentity } from '../../src/domain/policy/stages/identity-filter.ts';
import { COHORT_LABEL, rulesOf } from '../../src/domain/policy/stages/rule-document.ts';
import type { World } from '../../src/reading/policy/world.ts';
import { type Impossible, impossible } from '../planning/impossible.ts';
import type { NeededRight } from '../planning/rights.ts';

const NOWHERE = { line: 0, column: 0, endLine: 0, endColumn: 0 } as const;
const MOST_FINDINGS = 5;

/** What is known to be wrong with a candidate; undefined when it may go on. */
export function checkCandidate(document: JsonObject, namespace: string, { compile }: Pick<World, 'compile'>): Impossible | undefined {
  const { kind } = document;
  const metadata = document['metadata'] as JsonObject | undefined;
  if (kind !== 'CiliumNetworkPolicy') {
    const words = `A rollout by cohorts takes a CiliumNetworkPolicy; this is a ${typeof kind === 'string' ? kind : 'document without a kind'}. Nothing was changed.`;
    return impossible('BadCandidate', `${words} Write it as one, or apply it by hand.`);
  }
  if (typeof metadata?.['name'] !== 'string' || (metadata['namespace'] !== undefined && metadata['namespace'] !== namespace)) {
    return impossible(
      'BadCandidate',
      `The policy must have a name, and no namespace other than ${namespace}. Nothing was changed. Correct its metadata.`,
    );
  }
  const services = (compile.services ?? []).map((one) => `${one.namespace}/${one.name}`);
  const { findings } = lintDocument({ value: document, placeOf: () => NOWHERE }, { services });
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    const named = errors.slice(0, MOST_FINDINGS).map(({ path, happens, instead }) => `${path || 'document'}: ${happens} Right: ${instead}`);
    const rest = errors.length > MOST_FINDINGS ? ` And ${errors.length - MOST_FINDINGS} more.` : '';
    return impossible(
      'Lint',
      `The policy would not do what it says. ${named.join(' ')}${rest} Nothing was changed. Correct it; \`policy check\` shows everything.`,
    );
  }
  const parsed = parsePolicy(document, compile.clusterName === undefined ? {} : { clusterName: compile.clusterName });
  if (!parsed.ok) return impossible('Lint', `Cilium would refuse the policy: ${parsed.error}. Nothing was changed. Correct it.`);
  return undefined;
}

/** Settings of Cilium under which a rollout by cohorts means nothing, or cannot be seen. */
export function checkSettings({ config }: Pick<World, 'config'>): Impossible | undefined {
  const refuse = (what: string, next: string): Impossible =>
    impossible('Blind', `${what} Nothing was changed. ${next}, then run the command again.`);
  if (config['policy-audit-mode'] === 'true')
    return refuse('Cilium only audits (policy-audit-mode in cilium-config): no policy drops anything.', 'Switch the audit mode off');
  if (config['enable-policy'] === 'never')
    return refuse('Cilium enforces no policy at all (enable-policy: never in cilium-config).', 'Set it to default');
  if (!becomesIdentity(config['labels'], COHORT_LABEL))
    return refuse(
      `The label ${COHORT_LABEL} would not become part of a pod's identity (key labels in cilium-config), so no cohort could be selected.`,
      `Add k8s:${COHORT_LABEL} to it`,
    );
  if (config['enable-hubble'] !== 'true')
    return refuse('Hubble is off (enable-hubble in cilium-config): no drop could be seen.', 'Set hubble.enabled=true in the Helm values');
  for (const key of ['bpf-events-drop-enabled', 'bpf-events-policy-verdict-enabled']) {
    if (config[key] === 'false')
      return refuse(`Cilium reports too little (${key}: false in cilium-config): drops could not be seen.`, 'Set it to true');
  }
  return undefined;
}

/** What the candidate needs of Cilium, beyond enforcing policies at all: a proxy that is off lets nothing through, and so does a proof that nobody gives. */
export function checkNeeds(document: JsonObject, { config }: Pick<World, 'config'>): Impossible | undefined {
  const text = JSON.stringify(rulesOf(document));
  if (config['enable-l7-proxy'] === 'false' && /"(http|dns|toFQDNs)":\[/.test(text)) {
    const words = "The policy has rules for HTTP, DNS or names, and Cilium's proxy is off (enable-l7-proxy: false in cilium-config).";
    return impossible('NeedsProxy', `${words} Nothing was changed. Switch it on (Helm: l7Proxy=true), or write the policy without them.`);
  }
  if (config['mesh-auth-mutual-enabled'] !== 'true' && /"authentication":\{"mode":"required"/.test(text)) {
    const words =
      'The policy asks for mutual authentication, and Cilium does none (mesh-auth-mutual-enabled in cilium-config): every such connection would be dropped.';
    return impossible('NeedsAuthentication', `${words} Nothing was changed. Switch it on, or write the policy without it.`);
  }
  return undefined;
}

/** Every agent must answer: a drop on a node that is out of sight would be missed. */
export async function checkAgents(flows: Flows, signal: AbortSignal): Promise<Impossible | undefined> {
  const nodes = await flows.check(signal);
  const away = nodes.flatMap(({ node, problem }) => (problem === undefined ? [] : [`${node} (${problem})`]));
  if (nodes.length > 0 && away.length === 0) return undefined;
  const what = nodes.length === 0 ? 'no agent of the cluster is known' : `flows of ${away.join(', ')} cannot be read`;
  return impossible(
    'Blind',
    `Drops could not be seen: ${what}. Nothing was changed. Fix that, or check \`hubble\` in meshops.yaml, then run the command again.`,
  );
}

/** What the rollout writes: the person forward, the bot back. */
const FORWARD = ['create', 'patch', 'delete'] as const;
const BACK: readonly string[] = ['patch', 'delete'];

export function rightsFor({
  namespace,
  withPods,
  verbs = FORWARD,
}: {
  readonly namespace: string;
  readonly withPods: boolean;
  readonly verbs?: readonly string[];
}): { readonly forward: readonly NeededRight[]; readonly back: readonly NeededRight[] } {
  const right = (verb: string, group: string, resource: string): NeededRight => ({
    verb,
    group,
    resource,
    namespace,
    what: `${verb} ${resource} in ${namespace}`,
  });
  const pods = withPods ? [right('patch', '', 'pods')] : [];
  const policies = verbs.map((verb) => right(verb, 'cilium.io', 'ciliumnetworkpolicies'));
  return { forward: [...policies, ...pods], back: [...policies.filter(({ verb }) => BACK.includes(verb)), ...pods] };
}
