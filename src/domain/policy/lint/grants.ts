// Which pods other policies let ask DNS: what one document lacks may stand in another.
import { canonicalJson, type Json } from '../../json.ts';
import type { DnsGrant, LintContext } from './finding.ts';
import { asList, asRecord, type Raw, type SpecView } from './view.ts';

/** Grants of other policies that hold for every pod of the spec. */
export function grantsFor(spec: SpecView, { dns = [] }: LintContext): readonly DnsGrant[] {
  const { policy } = spec;
  return dns.filter(
    (grant) =>
      grant.owner !== policy.value &&
      (grant.clusterwide || (!policy.clusterwide && grant.namespace === policy.namespace)) &&
      includesSubject(grant.selector, asRecord(spec.value['endpointSelector']) ?? {}),
  );
}

/** Grants of other policies whose pods may be the spec's as well: their labels do not contradict each other. */
export function possibleGrants(spec: SpecView, { dns = [] }: LintContext): readonly DnsGrant[] {
  const { policy } = spec;
  const own = asRecord(asRecord(spec.value['endpointSelector'])?.['matchLabels']) ?? {};
  return dns.filter(
    ({ owner, clusterwide, namespace, selector }) =>
      owner !== policy.value &&
      (clusterwide || policy.clusterwide || namespace === policy.namespace) &&
      Object.entries(asRecord(selector['matchLabels']) ?? {}).every(([key, value]) => own[key] === undefined || own[key] === value),
  );
}

/** Whether the text alone shows that the wide selector selects everything that the narrow one does. */
export function includesSubject(wide: Raw, narrow: Raw): boolean {
  const labels = asRecord(wide['matchLabels']) ?? {};
  const own = asRecord(narrow['matchLabels']) ?? {};
  const expressions = asList(wide['matchExpressions']);
  const others = asList(narrow['matchExpressions']);
  return (
    Object.entries(labels).every(([key, value]) => own[key] === value) &&
    expressions.every((one) => others.some((other) => canonicalJson(one as Json) === canonicalJson(other as Json)))
  );
}
