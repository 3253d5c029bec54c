/** The policies in force on one node, compiled: who may connect to whom, which rule says so, and what Cilium would call that rule. */

import type { Explanation, RuleName } from '../../../src/domain/policy/decision.ts';
import { compilePolicies } from '../../../src/domain/policy/evaluator.ts';
import type { PolicyFlow, PolicyService } from '../../../src/domain/policy/flow.ts';
import { parsePolicy } from '../../../src/domain/policy/parse.ts';
import { type Policy, type PolicyRule, policyId } from '../../../src/domain/policy/policy.ts';
import type { PolicyRef } from '../flows/flow.ts';
import type { KubeObject } from '../kube/types.ts';

/** A policy as it came in force on a node. */
export interface PolicyInForce {
  readonly object: KubeObject;
  readonly policy: Policy;
  /** The node's policy revision that brought it. */
  readonly revision: number;
}

/** policy_match_type: what the deciding policy entry named (v1.20.2 pkg/monitor/api). */
export const matchTypes = { none: 0, l3Only: 1, l3l4: 2, l4Only: 3, all: 4, l3Proto: 5, protoOnly: 6 } as const;
export type MatchType = (typeof matchTypes)[keyof typeof matchTypes];

/** A rule as flows name it. */
export interface NamedRule {
  readonly ref: PolicyRef;
  readonly match: MatchType;
  /** spec.log.value of the policy; empty where it has none. */
  readonly log: string;
}

export interface RuleBook {
  readonly revision: number;
  explain(flow: PolicyFlow): Explanation;
  /** Undefined for rules that are not of this book. */
  nameOf(rule: RuleName): NamedRule | undefined;
}

interface PolicySpec {
  readonly log?: { readonly value?: string };
}

function logOf(object: KubeObject, path: string): string {
  const { spec, specs } = object as { readonly spec?: PolicySpec; readonly specs?: readonly PolicySpec[] };
  const index = /^specs\[(\d+)\]/.exec(path)?.[1];
  return (index === undefined ? spec : specs?.[Number(index)])?.log?.value ?? '';
}

/** Port 0 stands for every port of its protocol; an entry for everybody (`fromEntities: [all]`) has no layer 3. */
export function matchTypeOf({ peers, ports }: Pick<PolicyRule, 'peers' | 'ports'>): MatchType {
  const namesPeers =
    peers.services.length > 0 ||
    (peers.selectors.length > 0 && !peers.selectors.some((one) => one.kind === 'labels' && one.requirements.length === 0));
  if (ports === null) return namesPeers ? matchTypes.l3Only : matchTypes.all;
  const namesPort = ports.some(({ port }) => port !== 0);
  if (namesPort) return namesPeers ? matchTypes.l3l4 : matchTypes.l4Only;
  return namesPeers ? matchTypes.l3Proto : matchTypes.protoOnly;
}

/** As Hubble names a policy: its labels are those by which the agent keeps its rules. */
function refOf({ object, policy, revision }: PolicyInForce): PolicyRef {
  const prefix = 'k8s:io.cilium.k8s.policy';
  return {
    name: policy.name,
    ...(policy.namespace === '' ? {} : { namespace: policy.namespace }),
    kind: policy.kind,
    revision,
    labels: [
      `${prefix}.derived-from=${policy.kind}`,
      `${prefix}.name=${policy.name}`,
      ...(policy.namespace === '' ? [] : [`${prefix}.namespace=${policy.namespace}`]),
      `${prefix}.uid=${object.metadata.uid ?? ''}`,
    ],
  };
}

/** Compiles a set of policies; `revision` is the node's. */
export function compileBook(inForce: readonly PolicyInForce[], services: readonly PolicyService[], revision: number): RuleBook {
  const evaluator = compilePolicies(
    inForce.map(({ policy }) => policy),
    { services },
  );
  const named = new Map<string, NamedRule>();
  const key = (kind: string, policy: string, path: string): string => `${kind} ${policy} ${path}`;
  for (const each of inForce) {
    const ref = refOf(each);
    for (const rule of each.policy.rules) {
      const log = logOf(each.object, rule.path);
      named.set(key(each.policy.kind, policyId(each.policy), rule.path), { ref, match: matchTypeOf(rule), log });
    }
  }
  return {
    revision,
    explain: (flow) => evaluator.explain(flow),
    nameOf: (rule) => named.get(key(rule.kind, rule.policy, rule.path)),
  };
}

/** The engine's reading of an object, or its reason for refusing it. */
export function readPolicy(object: KubeObject): { readonly policy: Policy } | { readonly error: string } {
  const parsed = parsePolicy(object);
  return parsed.ok ? { policy: parsed.policy } : { error: parsed.error };
}
