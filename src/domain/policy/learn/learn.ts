import type { JsonObject } from '../../json.ts';
import { type FlowContext, mapFlow, type SeenFlow, UNKNOWN_REASONS, type UnknownReason } from '../dryrun/flow.ts';
import type { ReadFlow } from '../dryrun/recorded.ts';
import { SeenSet } from '../dryrun/seen.ts';
import { instant } from '../dryrun/words.ts';
import { compilePolicies } from '../evaluator.ts';
import { isIcmp } from '../flow.ts';
import { parsePolicy } from '../parse.ts';
import type { Direction } from '../policy.ts';
import { CLUSTER_LABEL, NAMESPACE_LABEL } from '../selector.ts';
import { Attempts } from './attempts.ts';
import { learnedPeer } from './peer.ts';
import { type LearnedRule, rulesDocument } from './rules.ts';
import { yamlOf } from './yaml.ts';

interface LearnInput extends LearnAsk {
  readonly flows: Iterable<ReadFlow>;
}

interface LearnAsk {
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
  /** Attempts that nobody answered, such as a port scan: not allowed either. */
  readonly unanswered: number;
  /** Kinds of connections that it was learned from and would deny; always 0, and asked all the same. */
  readonly contradicted: number;
  /** Connections that say too little, by reason. */
  readonly unknown: Readonly<Partial<Record<UnknownReason, number>>>;
}

/**
 * The tightest policy that people would still write by hand and that allows all that was seen and let through: peers by the label that
 * names them, DNS through the proxy, names outside where they were seen. A direction in which nothing was seen stays open.
 */
export function learnPolicy(input: LearnInput): Learned {
  const learner = new Learner(input);
  for (const read of input.flows) learner.take(read);
  return learner.result();
}

/** Learns from one record at a time: what it keeps grows with the peers and ports, not with the recording. */
export class Learner {
  readonly #ask: LearnAsk;
  readonly #rules = new Map<string, LearnedRule>();
  readonly #samples = new Map<string, SeenFlow>();
  readonly #attempts = new Attempts();
  readonly #seen = new SeenSet();
  readonly #unknown: Partial<Record<UnknownReason, number>> = {};
  readonly #dnsPorts = new Set<number>([DNS_PORT]);
  #denied = 0;
  #cluster: string | undefined;
  #from: number | undefined;
  #until: number | undefined;

  constructor(ask: LearnAsk) {
    this.#ask = ask;
  }

  take(read: ReadFlow): void {
    if (read.kind !== 'flow') return;
    if (read.flow.is_reply === true) this.#attempts.answer(read.flow);
    const mapped = mapFlow(read.flow, this.#ask.context);
    if (mapped.kind === 'unknown') {
      const { direction, source, destination } = mapped;
      const ends = direction === undefined ? [source, destination] : [direction === 'ingress' ? destination : source];
      if (ends.some(({ labels }) => isSubject(labels, this.#ask)) && this.#seen.add(mapped.id)) this.#leaveOut(mapped.reason);
    }
    if (mapped.kind === 'seen') for (const one of mapped.seen) this.#see(one);
  }

  #leaveOut(reason: UnknownReason): void {
    this.#unknown[reason] = (this.#unknown[reason] ?? 0) + 1;
  }

  #see(one: SeenFlow): void {
    const { flow, direction, unit, id, decided, at } = one;
    const { labels } = direction === 'ingress' ? flow.destination : flow.source;
    if (unit === 'request' && flow.dns && flow.destinationPort !== undefined) this.#dnsPorts.add(flow.destinationPort);
    if (unit === 'request' || !isSubject(labels, this.#ask) || !this.#seen.add(id)) return;
    if (decided === 'denied') this.#denied += 1;
    else if (!this.#count(one, labels)) this.#leaveOut('identity');
    if (Number.isNaN(at)) return;
    this.#from = Math.min(this.#from ?? at, at);
    this.#until = Math.max(this.#until ?? at, at);
  }

  #count(one: SeenFlow, own: readonly string[]): boolean {
    const { flow, direction } = one;
    this.#cluster ??= own.find((label) => label.startsWith(`k8s:${CLUSTER_LABEL}=`))?.split('=')[1];
    const other = direction === 'ingress' ? flow.source : flow.destination;
    const isInside = other.labels.some((label) => label.startsWith('k8s:'));
    const isDns = this.#dnsPorts.has(flow.destinationPort ?? 0) || (flow.destinationPort === INSIDE_DNS_PORT && isInside);
    // Whoever answers DNS cannot be found by a name that DNS must tell first.
    const peer = learnedPeer(isDns ? { ...other, fqdns: [] } : other, direction, this.#cluster ?? 'default');
    if (!peer) return false;
    const key = `${direction} ${peer.key}`;
    const rule = this.#rules.get(key) ?? { direction, peer, count: 0, ports: new Map<string, number>(), dns: new Set<string>() };
    const port = isIcmp(flow.protocol)
      ? `${flow.icmpType}/${flow.protocol === 'ICMP' ? 'ICMPv4' : 'ICMPv6'}`
      : `${flow.destinationPort}/${flow.protocol}`;
    rule.ports.set(port, (rule.ports.get(port) ?? 0) + 1);
    this.#rules.set(key, {
      ...rule,
      count: rule.count + 1,
      dns: isDns && direction === 'egress' ? new Set([...rule.dns, port]) : rule.dns,
    });
    this.#attempts.add(one, key, port);
    const sample = `${key} ${port}`;
    if (!this.#samples.has(sample)) this.#samples.set(sample, one);
    return true;
  }

  result(): Learned {
    const unanswered = this.#withoutFruitless();
    const rules = [...this.#rules.values()].filter(({ ports }) => ports.size > 0);
    const connections = rules.reduce((sum, { count }) => sum + count, 0);
    const left = { denied: this.#denied, unknown: this.#unknown, unanswered };
    const period = this.#from === undefined || this.#until === undefined ? '' : `, ${instant(this.#from)} to ${instant(this.#until)}`;
    const policy = connections === 0 ? undefined : written(this.#ask, rules, period, left);
    return { policy, connections, ...left, contradicted: policy ? this.#contradicted(policy.document) : 0 };
  }

  #withoutFruitless(): number {
    let unanswered = 0;
    for (const { rule: key, port, count } of this.#attempts.fruitless) {
      const rule = this.#rules.get(key);
      if (!rule) continue;
      unanswered += count;
      const rest = (rule.ports.get(port) ?? 0) - count;
      if (rest > 0) rule.ports.set(port, rest);
      else {
        rule.ports.delete(port);
        this.#samples.delete(`${key} ${port}`);
      }
      this.#rules.set(key, { ...rule, count: rule.count - count });
    }
    return unanswered;
  }

  /** A proposal is asked about what it was learned from. */
  #contradicted(document: JsonObject): number {
    const parsed = parsePolicy(document, this.#cluster === undefined ? {} : { clusterName: this.#cluster });
    if (!parsed.ok) return this.#samples.size;
    const evaluator = compilePolicies([parsed.policy], this.#cluster === undefined ? {} : { clusterName: this.#cluster });
    return [...this.#samples.values()].filter(({ flow, direction }) => evaluator.decide(flow)[direction]?.allowed === false).length;
  }
}

const DNS_PORT = 53;
/** OpenShift's DNS pods listen there; outside of the cluster it is multicast DNS. */
const INSIDE_DNS_PORT = 5353;

function isSubject(labels: readonly string[], { namespace, selector }: LearnAsk): boolean {
  const wanted = Object.entries({ ...selector, [NAMESPACE_LABEL]: namespace });
  return wanted.every(([key, value]) => labels.includes(`k8s:${key}=${value}`));
}

function written(
  { namespace, name, selector }: LearnAsk,
  rules: readonly LearnedRule[],
  span: string,
  { denied, unknown, unanswered }: Pick<Learned, 'denied' | 'unknown' | 'unanswered'>,
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
  comments.set(
    'apiVersion',
    [
      `Proposed from ${total} connection${total === 1 ? '' : 's'} that were seen${span}.`,
      'What was not seen is not allowed: read it before you use it.',
      ...open.map((direction) => `No ${direction} was seen, so it stays open.`),
      ...(denied === 0 ? [] : [`Left out: ${denied} that were denied when they were seen.`]),
      ...(unanswered === 0 ? [] : [`Left out: ${unanswered} attempts that nobody answered.`]),
      ...Object.entries(unknown).map(([reason, count]) => `Left out: ${count}, since ${UNKNOWN_REASONS[reason as UnknownReason]}.`),
    ].join('\n'),
  );
  return { document, yaml: yamlOf(document, comments) };
}
