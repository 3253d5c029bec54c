// What a deny rule may match that the documents do not tell: without looking at it, a denial would be missed.
import type { Policy, PolicyRule } from './policy.ts';

/** Groups of addresses that lie elsewhere; ports by a name whose number is not known. */
export type Hidden = 'groups' | 'ports';

const EVERY_ADDRESS = ['0.0.0.0/0', '::/0'].map((cidr) => ({ kind: 'cidr', cidr, except: [] }) as const);

/**
 * The policies with each deny rule at its widest: a group of addresses may hold every address, a name may be every port. Undefined where no deny rule
 * speaks of any. What these deny and the policies themselves allow is not known.
 */
export function atWorst(policies: readonly Policy[], hidden: Hidden): readonly Policy[] | undefined {
  let isSame = true;
  const widest = policies.map((policy) => ({
    ...policy,
    rules: policy.rules.map((rule) => {
      const wide = rule.verdict === 'deny' ? WIDEN[hidden](rule) : undefined;
      if (wide) isSame = false;
      return wide ?? rule;
    }),
  }));
  return isSame ? undefined : widest;
}

/**
 * The policies without what they allow on a condition that cannot be seen. Undefined where there is none. What the policies allow and these do not is not
 * known.
 */
export function withoutConditions(policies: readonly Policy[]): readonly Policy[] | undefined {
  const isConditional = (rule: PolicyRule): boolean => rule.authenticated === true || (rule.ports ?? []).some(({ condition }) => condition);
  if (!policies.some(({ rules }) => rules.some(isConditional))) return undefined;
  return policies.map((policy) => ({
    ...policy,
    rules: policy.rules.map((rule) => {
      if (!isConditional(rule)) return rule;
      return { ...rule, ports: rule.authenticated ? [] : (rule.ports?.filter(({ condition }) => !condition) ?? null) };
    }),
  }));
}

const WIDEN: Readonly<Record<Hidden, (rule: PolicyRule) => PolicyRule | undefined>> = {
  groups: (rule) => {
    const { selectors } = rule.peers;
    if (!selectors.some(({ kind }) => kind === 'unknown')) return undefined;
    const known = selectors.filter(({ kind }) => kind !== 'unknown');
    return { ...rule, peers: { ...rule.peers, selectors: [...known, ...EVERY_ADDRESS] } };
  },
  ports: (rule) => {
    if (!rule.ports?.some(({ port }) => typeof port === 'string')) return undefined;
    return { ...rule, ports: rule.ports.map((one) => (typeof one.port === 'string' ? { ...one, port: 0, endPort: 0 } : one)) };
  },
};
