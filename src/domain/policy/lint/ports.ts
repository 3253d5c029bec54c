import { isPortName, parsePortNumber } from '../port.ts';
import { asRecord, items, type Located, type Raw, type RuleView, records } from './view.ts';

/** Ports that an entry of a rule means. `from` 0 means all; a name has no span. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** TCP, UDP, SCTP or ANY, in upper case. */
  readonly protocol: string;
}

/** The number that Cilium reads ("0120" is 80); `undefined` for a name or nonsense. */
export function portNumber(port: unknown): number | undefined {
  return typeof port === 'string' && !isPortName(port) ? parsePortNumber(port) : undefined;
}

export function spanOf(port: Raw): Span | undefined {
  const from = portNumber(port['port']);
  if (from === undefined) return undefined;
  const end = port['endPort'];
  const protocol = typeof port['protocol'] === 'string' ? port['protocol'].toUpperCase() : 'ANY';
  if (from === 0) return { from, to: 65_535, protocol };
  return { from, to: typeof end === 'number' && end > from ? end : from, protocol };
}

/** Every entry of every `ports` list of the rule. */
export function portsOf(rule: RuleView): readonly Located<Raw>[] {
  return records(rule, 'toPorts').flatMap((group) => records(group, 'ports'));
}

/** Whether the rule is about ports at all: `toPorts: []` counts as absent. */
export function limitsPorts(rule: RuleView): boolean {
  return items(rule, 'toPorts').length > 0;
}

export function groupSpans(group: Located<Raw>): readonly Span[] {
  return records(group, 'ports').flatMap(({ value }) => spanOf(value) ?? []);
}

/** Whether the rule admits this port by its ports alone. */
export function admitsPort(rule: RuleView, port: number, protocol: string): boolean {
  if (!limitsPorts(rule)) return items(rule, 'icmps').length === 0;
  return records(rule, 'toPorts').some((group) => groupSpans(group).some((span) => covers(span, { from: port, to: port, protocol })));
}

export function covers(outer: Span, inner: Span): boolean {
  return outer.from <= inner.from && outer.to >= inner.to && (outer.protocol === 'ANY' || outer.protocol === inner.protocol);
}

export function overlap(a: Span, b: Span): boolean {
  return a.from <= b.to && b.from <= a.to && (a.protocol === b.protocol || a.protocol === 'ANY' || b.protocol === 'ANY');
}

/** Where DNS servers listen: 5353 is that of OpenShift's pods. */
const DNS_PORTS: readonly number[] = [53, 5353];
const DNS_PORT_NAMES: readonly unknown[] = ['dns', 'dns-tcp', 'dns-udp', 'domain'];

/** Entries that carry names: for exactly such a port over UDP, and for whatever port has DNS rules. */
export function dnsGroups(rule: RuleView): readonly Located<Raw>[] {
  return records(rule, 'toPorts').filter(
    (group) =>
      hasDnsRules(group) ||
      records(group, 'ports').some(({ value }) => DNS_PORT_NAMES.includes(value['port'])) ||
      groupSpans(group).some(({ from, to, protocol }) => from === to && DNS_PORTS.includes(from) && ['UDP', 'ANY'].includes(protocol)),
  );
}

/** Whether names are read from the answers that pass here. */
export function hasDnsRules(group: Located<Raw>): boolean {
  const dns = asRecord(group.value['rules'])?.['dns'];
  return Array.isArray(dns) && dns.length > 0;
}
