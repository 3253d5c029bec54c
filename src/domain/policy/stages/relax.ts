import type { JsonObject } from '../../json.ts';
import type { ObjectRef, PlannedStage } from '../../plan.ts';
import { isObject, rulesOf } from './rule-document.ts';

const OPEN: JsonObject = { ingress: false, egress: false };

export interface RelaxInput {
  readonly policy: ObjectRef;
  readonly uid: string;
  readonly generation: number;
  readonly document: JsonObject;
  readonly firstStage: number;
}

/**
 * One stage that takes default deny out of a policy and leaves the rest of it standing, so that it can be enforced again. It is not watched:
 * what is allowed can harm nobody's connection, and what should not have been allowed does not show in traffic. That is why it
 * has a gate. Undefined where the policy has no default deny any more.
 */
export function relaxStage({ policy, uid, generation, document, firstStage }: RelaxInput): PlannedStage | undefined {
  const { spec, specs } = document;
  const places = [
    ...(isObject(spec) ? [{ pointer: '/spec/enableDefaultDeny', rule: spec }] : []),
    ...(Array.isArray(specs) ? (specs as readonly JsonObject[]) : []).map((rule, index) => ({
      pointer: `/specs/${index}/enableDefaultDeny`,
      rule,
    })),
  ];
  const closed = places.filter(({ rule }) => !isOpen(rule));
  if (closed.length === 0) return undefined;
  const before = Object.fromEntries(closed.map(({ pointer, rule }) => [pointer, rule['enableDefaultDeny'] ?? null]));
  const after = Object.fromEntries(closed.map(({ pointer }) => [pointer, OPEN]));
  const writes = [{ object: policy, uid, generation, before, after }];
  return { number: firstStage, label: 'relaxed', exposure: 1, soakMs: 0, writes };
}

/** What goes on biting in a relaxed policy, in sentences. */
export function stillBites(document: JsonObject): readonly string[] {
  const rules = rulesOf(document);
  const denies = rules.some((rule) =>
    ['ingressDeny', 'egressDeny'].some((section) => (rule[section] as readonly unknown[] | undefined)?.length),
  );
  return denies ? ['Its deny entries stay in force: Cilium enforces them without default deny as well.'] : [];
}

function isOpen(rule: JsonObject): boolean {
  const deny = rule['enableDefaultDeny'];
  return isObject(deny) && deny['ingress'] === false && deny['egress'] === false;
}
