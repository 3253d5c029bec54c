/** One flow as a policy sees it: who, to whom, which port, and the request or query if it was seen. */
export interface PolicyFlow {
  readonly source: PolicyPeer;
  readonly destination: PolicyPeer;
  readonly protocol: FlowProtocol;
  /** Port of the backend, after service translation. Absent for ICMP. */
  readonly destinationPort?: number | undefined;
  readonly icmpType?: number | undefined;
  readonly http?: HttpRequest | undefined;
  readonly dns?: DnsQuery | undefined;
}

export const FLOW_PROTOCOLS = ['TCP', 'UDP', 'SCTP', 'ICMP', 'ICMPV6'] as const;
export type FlowProtocol = (typeof FLOW_PROTOCOLS)[number];

/** Whether it has types instead of ports. */
export function isIcmp(protocol: string): boolean {
  return protocol === 'ICMP' || protocol === 'ICMPV6';
}

export interface PolicyPeer {
  /** Identity labels, `source:key=value`; without `=` the value is empty. */
  readonly labels: readonly string[];
  /** Matters for peers outside of the cluster only (`reserved:world`, `world-ipv4`, `world-ipv6`). */
  readonly ip?: string | undefined;
  /** Names seen in DNS answers for this address. */
  readonly fqdns?: readonly string[] | undefined;
  /** Container ports of a pod. */
  readonly namedPorts?: readonly NamedPort[] | undefined;
}

export interface NamedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

export interface HttpRequest {
  readonly method: string;
  /** With the query string. */
  readonly path: string;
  /** `:authority`, with the port if the client sent one. */
  readonly host: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface DnsQuery {
  readonly query: string;
}

/** A Kubernetes Service that `toServices` may name: it selects pods, or lists addresses. */
export interface PolicyService {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly selector?: Readonly<Record<string, string>> | undefined;
  readonly backends?: readonly string[] | undefined;
}

export interface CompileWorld {
  /** What `toServices` may name. */
  readonly services?: readonly PolicyService[];
  readonly clusterName?: string;
}
