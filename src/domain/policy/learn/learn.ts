import type { JsonObject } from '../../json.ts';
import { type FlowContext, mapFlow, type SeenFlow, UNKNOWN_REASONS, type UnknownReason } from '../dryrun/flow.ts';
import type { ReadFlow } from '../dryrun/recorded.ts';
import { instant } from '../dryrun/words.ts';
import type { Direction } from '../policy.ts';
import { CLUSTER_LABEL, NAMESPACE_LABEL } from '../selector.ts';
import { learnedPeer } from './peer.ts';
import { type LearnedRule, rulesDocument } from './rules.ts';
import { yamlOf } from './yaml.ts';

export interface LearnInput {
  readonly flows: Iterable<ReadFlow>;
  readonly namespace: string;
  readonly name: string;
  /** Labels by which the workload selects its pods. */
  readonly selector: Readonly<Record<string, string>>;
  readonly context?: FlowContext;
}

export interface Learned {
  /** Undefined when nothing of the workload was seen: silence is no policy. */
  readonly policy: { readonly document: JsonObject; readonly yaml: string } | undefined;
  readonly connections: number;
  /** Denied when they were seen: not allowed by the proposal. */
  readonly denied: number;
  /** Connections that say too little, by reason. */
  readonly unknown: Readonly<Partial<Record<UnknownReason, number>>>;
}

/**
 * The tightest policy that people would still write by hand and that allows all that was seen and let through: peers by the label that
 * names them, DNS through the proxy, names outside where they were seen. A direction in which nothing was seen stays open.
 */
export function learnPolicy(input: LearnInput): Learned {
  const rules = new Map<string, LearnedRule>();
  const seen = new Set<string>();
  const unknown: Partial<Record<UnknownReason, number>> = {};
  let denied = 0;
  const period: number[] = [];
  for (const read of input.flows) {
    if (read.kind !== 'flow') continue;
    const mapped = mapFlow(read.flow, input.context);
    if (mapped.kind === 'unknown') {
      const { direction, source, destination } = mapped;
      const ends = direction === undefined ? [source, destination] : [direction === 'ingress' ? destination : source];
      const own = ends.some(({ labels }) => isSubject(labels, input));
      if (own && !seen.has(mapped.id)) unknown[mapped.reason] = (unknown[mapped.reason] ?? 0) + 1;
      if (own) seen.add(mapped.id);
      continue;
    }
    if (mapped.kind === 'skipped') continue;
    for (const one of mapped.seen) {
      const { flow, direction, unit, id, decided, at } = one;
      const subject = direction === 'ingress' ? flow.destination : flow.source;
      if (unit === 'request' || seen.has(id) || !isSubject(subject.labels, input)) continue;
      seen.add(id);
      if (decided === 'denied') denied += 1;
      else if (!add(rules, one, subject.labels)) unknown.identity = (unknown.identity ?? 0) + 1;
      if (!Number.isNaN(at)) period.push(at);
    }
  }
  const learned = [...rules.values()];
  const connections = learned.reduce((sum, { count }) => sum + count, 0);
  return { policy: connections === 0 ? undefined : written(input, learned, period, { denied, unknown }), connections, denied, unknown };
}

function add(rules: Map<string, LearnedRule>, { flow, direction }: SeenFlow, own: readonly string[]): boolean {
  const cluster = own.find((label) => label.startsWith(`k8s:${CLUSTER_LABEL}=`))?.split('=')[1] ?? 'default';
  const other = direction === 'ingress' ? flow.source : flow.destination;
  // Whoever answers DNS cannot be found by a name that DNS must tell first.
  const peer = learnedPeer(flow.destinationPort === 53 ? { ...other, fqdns: [] } : other, direction, cluster);
  if (!peer) return false;
  const key = `${direction} ${peer.key}`;
  const rule = rules.get(key) ?? { direction, peer, count: 0, ports: new Map() };
  const isV6 = (flow.destination.ip ?? '').includes(':');
  const port = flow.protocol === 'ICMP' ? `${flow.icmpType}/${isV6 ? 'ICMPv6' : 'ICMPv4'}` : `${flow.destinationPort}/${flow.protocol}`;
  rule.ports.set(port, (rule.ports.get(port) ?? 0) + 1);
  rules.set(key, { ...rule, count: rule.count + 1 });
  return true;
}

function isSubject(labels: readonly string[], { namespace, selector }: LearnInput): boolean {
  const wanted = Object.entries({ ...selector, [NAMESPACE_LABEL]: namespace });
  return wanted.every(([key, value]) => labels.includes(`k8s:${key}=${value}`));
}

function written(
  { namespace, name, selector }: LearnInput,
  rules: readonly LearnedRule[],
  period: readonly number[],
  { denied, unknown }: Pick<Learned, 'denied' | 'unknown'>,
): NonNullable<Learned['policy']> {
  const directions = (['ingress', 'egress'] as const).filter((direction) => rules.some((rule) => rule.direction === direction));
  const comments = new Map<string, string>();
  const sections = directions.map((direction: Direction) => {
    const { entries, words } = rulesDocument(rules.filter((rule) => rule.direction === direction));
    words.forEach((line, index) => comments.set(`spec.${direction}.${index}`, line));
    return [direction, entries] as const;
  });
  const document: JsonObject = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name, namespace },
    spec: { endpointSelector: { matchLabels: selector }, ...Object.fromEntries(sections) },
  };
  const total = rules.reduce((sum, { count }) => sum + count, 0);
  const open = (['ingress', 'egress'] as const).filter((direction) => !directions.includes(direction));
  const span = period.length === 0 ? '' : `, ${instant(least(period))} to ${instant(most(period))}`;
  comments.set(
    'apiVersion',
    [
      `Proposed from ${total} connection${total === 1 ? '' : 's'} that were seen${span}.`,
      'What was not seen is not allowed: read it before you use it.',
      ...open.map((direction) => `No ${direction} was seen, so it stays open.`),
      ...(denied === 0 ? [] : [`Left out: ${denied} that were denied when they were seen.`]),
      ...Object.entries(unknown).map(([reason, count]) => `Left out: ${count}, since ${UNKNOWN_REASONS[reason as UnknownReason]}.`),
    ].join('\n'),
  );
  return { document, yaml: yamlOf(document, comments) };
}

const least = (numbers: readonly number[]) => numbers.reduce((a, b) => Math.min(a, b));
const most = (numbers: readonly number[]) => numbers.reduce((a, b) => Math.max(a, b));
