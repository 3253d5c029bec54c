import type { FoundObject } from '../objects.ts';
import type { DnsGrant } from './finding.ts';
import { admitsDnsPort, namespaceOf } from './kubernetes.ts';
import { dnsGroups, hasDnsRules } from './ports.ts';
import { admitsDns } from './rules/names.ts';
import { asList, asRecord, viewPolicy } from './view.ts';

/** What a policy lets its pods ask DNS; none where it does not. */
export function dnsGrantsOf({ path, value }: FoundObject): readonly DnsGrant[] {
  const owner = { owner: value, namespace: namespaceOf(value) };
  if (value['kind'] === 'NetworkPolicy') {
    const spec = asRecord(value['spec']);
    if (!asList(spec?.['egress']).some(admitsDnsPort)) return [];
    return [{ ...owner, clusterwide: false, selector: asRecord(spec?.['podSelector']) ?? {}, sees: false, names: undefined }];
  }
  const clusterwide = value['kind'] === 'CiliumClusterwideNetworkPolicy';
  return viewPolicy({ path, value }, clusterwide).specs.flatMap((spec) => {
    const selector = asRecord(spec.value['endpointSelector']);
    const rules = spec.rules.filter((rule) => rule.direction === 'egress' && !rule.deny && admitsDns(rule));
    if (!selector || rules.length === 0) return [];
    const groups = rules.flatMap(dnsGroups);
    const isOpen = groups.length === 0 || groups.some((group) => !hasDnsRules(group));
    const names = groups.flatMap(({ value: group }) => asList(asRecord(group['rules'])?.['dns']));
    return [{ ...owner, clusterwide, selector, sees: groups.some(hasDnsRules), names: isOpen ? undefined : names }];
  });
}
