import { type Prefix, parseAddress } from './cidr.ts';
import { canonicalName } from './dns-pattern.ts';
import { OUTSIDE } from './entities.ts';
import type { NamedPort, PolicyPeer } from './flow.ts';
import type { Requirement } from './policy.ts';
import { NAMESPACE_LABEL } from './selector.ts';

/** A set of labels, known once: what matches it is remembered with it. */
export class LabelSet {
  readonly #bySource = new Map<string, string>();
  readonly #byKey = new Map<string, string>();
  readonly namespace: string;
  readonly isWorld: boolean;
  readonly isHost: boolean;
  readonly isInit: boolean;
  /** Whether policies are enforced on such an endpoint: pods, health, ingress and init endpoints. */
  readonly isJudged: boolean;
  /** For each label selector of the evaluator: 0 = not asked yet, 1 = does not match, 2 = matches. */
  readonly matched: Uint8Array;

  constructor(labels: readonly string[], selectors: number) {
    this.matched = new Uint8Array(selectors);
    const reserved: string[] = [];
    let hasOwn = false;
    for (const label of labels) {
      const equals = label.indexOf('=');
      const sourced = equals < 0 ? label : label.slice(0, equals);
      const value = equals < 0 ? '' : label.slice(equals + 1);
      const key = sourced.slice(sourced.indexOf(':') + 1);
      this.#bySource.set(sourced, value);
      if (!this.#byKey.has(key)) this.#byKey.set(key, value);
      if (sourced.startsWith('reserved:')) reserved.push(key);
      else if (!sourced.startsWith('cidr:') && !sourced.startsWith('fqdn:')) hasOwn = true;
    }
    this.namespace = this.#bySource.get(`k8s:${NAMESPACE_LABEL}`) ?? '';
    this.isWorld = OUTSIDE.some((name) => reserved.includes(name));
    this.isHost = reserved.includes('host');
    this.isInit = reserved.includes('init');
    this.isJudged = reserved.length > 0 ? reserved.some((name) => ENFORCED.includes(name)) : hasOwn;
  }

  meets(requirement: Requirement): boolean {
    const { source, key } = requirement;
    return meets(requirement, source === 'any' ? this.#byKey.get(key) : this.#bySource.get(`${source}:${key}`));
  }
}

/** Does this value of the requirement's label meet it? Undefined: the label is not there. */
export function meets({ operator, values }: Pick<Requirement, 'operator' | 'values'>, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

const ENFORCED: readonly string[] = ['health', 'ingress', 'init'];

/** One peer as flows name it: labels, and what tells peers with the same labels apart. */
export class Identity {
  readonly peer: PolicyPeer;
  readonly labels: LabelSet;
  /** undefined for peers that are not of the world: prefixes never match them. */
  readonly address: Prefix | undefined;
  readonly names: readonly string[];
  readonly namedPorts: readonly NamedPort[];

  constructor(peer: PolicyPeer, labels: LabelSet) {
    this.peer = peer;
    this.labels = labels;
    this.address = labels.isWorld && peer.ip !== undefined ? parseAddress(peer.ip) : undefined;
    this.names = labels.isWorld ? (peer.fqdns ?? []).map(canonicalName) : [];
    this.namedPorts = peer.namedPorts ?? [];
  }
}

/** Peers with the same key are decided alike. */
export function labelsKey({ labels }: PolicyPeer): string {
  return labels.join('\n');
}

export function peerKey(peer: PolicyPeer, labels: LabelSet): string {
  const ports = peer.namedPorts?.map(({ name, port, protocol }) => `${name} ${port} ${protocol}`).join(',') ?? '';
  return labels.isWorld ? `${peer.ip ?? ''}|${peer.fqdns?.join(',') ?? ''}|${ports}` : ports;
}
