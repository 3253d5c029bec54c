/** A Hubble flow as it goes on the wire (field names of flow.proto; enums by name), and who may be at its ends. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface FlowEndpoint {
  readonly ID?: number;
  readonly identity: number;
  readonly cluster_name?: string;
  readonly namespace?: string;
  readonly labels: readonly string[];
  readonly pod_name?: string;
  readonly workloads?: readonly { readonly name: string; readonly kind: string }[];
}

export interface PolicyRef {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: readonly string[];
  readonly revision?: number;
  readonly kind?: string;
}

export interface HttpRecord {
  readonly code?: number;
  readonly method: string;
  readonly url: string;
  readonly protocol: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

export interface DnsRecord {
  readonly query: string;
  readonly ips?: readonly string[];
  readonly ttl?: number;
  readonly rcode?: number;
  readonly observation_source: string;
  readonly qtypes: readonly string[];
  readonly rrtypes?: readonly string[];
}

export type Verdict = 'FORWARDED' | 'DROPPED' | 'ERROR' | 'AUDIT' | 'REDIRECTED' | 'TRACED' | 'TRANSLATED';
export type Direction = 'TRAFFIC_DIRECTION_UNKNOWN' | 'INGRESS' | 'EGRESS';

export interface Flow {
  readonly time: Timestamp;
  readonly uuid: string;
  readonly verdict: Verdict;
  readonly drop_reason?: number;
  readonly drop_reason_desc?: string;
  readonly IP: { readonly source: string; readonly destination: string; readonly ipVersion: 'IPv4'; readonly encrypted?: boolean };
  readonly l4: {
    readonly TCP?: {
      readonly source_port: number;
      readonly destination_port: number;
      readonly flags?: Readonly<Partial<Record<'SYN' | 'ACK' | 'RST' | 'FIN' | 'PSH', boolean>>>;
    };
    readonly UDP?: { readonly source_port: number; readonly destination_port: number };
  };
  readonly source: FlowEndpoint;
  readonly destination: FlowEndpoint;
  readonly Type: 'L3_L4' | 'L7';
  readonly node_name: string;
  readonly source_names?: readonly string[];
  readonly destination_names?: readonly string[];
  readonly l7?: {
    readonly type: 'REQUEST' | 'RESPONSE';
    readonly latency_ns?: number;
    readonly http?: HttpRecord;
    readonly dns?: DnsRecord;
  };
  readonly event_type: { readonly type: number; readonly sub_type?: number };
  readonly source_service?: { readonly name: string; readonly namespace: string };
  readonly destination_service?: { readonly name: string; readonly namespace: string };
  readonly traffic_direction: Direction;
  readonly policy_match_type?: number;
  readonly trace_observation_point?: string;
  readonly trace_reason?: string;
  readonly is_reply?: { readonly value: boolean };
  readonly Summary?: string;
  readonly egress_allowed_by?: readonly PolicyRef[];
  readonly ingress_allowed_by?: readonly PolicyRef[];
  readonly egress_denied_by?: readonly PolicyRef[];
  readonly ingress_denied_by?: readonly PolicyRef[];
  readonly policy_log?: readonly string[];
  readonly node_labels?: readonly string[];
  // What agents fill and the product does not read (service.ts).
  readonly emitter?: { readonly name: string };
  readonly ethernet?: { readonly source: string; readonly destination: string };
  readonly interface?: { readonly index: number };
  readonly file?: { readonly name: string; readonly line: number };
  readonly reply?: boolean;
  readonly proxy_port?: number;
}

/** Cilium's monitor event types (pkg/monitor/api): where a flow came from. */
export const eventTypes = { drop: 1, trace: 4, policyVerdict: 5, accessLog: 129 } as const;

/** Reserved identities (pkg/identity/numericidentity.go). */
export const reservedIdentities = { host: 1, world: 2, remoteNode: 6, kubeApiserver: 7, ingress: 8 } as const;

/** Who says it: an agent's name for itself and its node. */
export function saidBy(node: string) {
  return {
    emitter: { name: 'Hubble' },
    node_name: node,
    node_labels: [`kubernetes.io/hostname=${node}`],
  };
}

/** Unix milliseconds, with fractions, as a protobuf timestamp. */
export function timestamp(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: Math.min(999_999_999, Math.round((ms - seconds * 1_000) * 1_000_000)) };
}

/** A protobuf timestamp as Unix milliseconds. */
export const milliseconds = (time: Timestamp): number => time.seconds * 1_000 + time.nanos / 1_000_000;
