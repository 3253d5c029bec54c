/** The part of Hubble's messages that meshops reads, as @grpc/proto-loader decodes them (unset fields are left out). */
export interface Timestamp {
  readonly seconds: number;
  readonly nanos?: number;
}

export interface Endpoint {
  readonly identity?: number;
  readonly namespace?: string;
  readonly labels?: readonly string[];
  readonly pod_name?: string;
}

export interface Flow {
  readonly time?: Timestamp;
  readonly uuid?: string;
  readonly verdict?: string;
  readonly drop_reason_desc?: string;
  readonly event_type?: { readonly type?: number; readonly sub_type?: number };
  readonly l4?: { readonly TCP?: Ports; readonly UDP?: Ports; readonly SCTP?: Ports };
  readonly IP?: { readonly source?: string; readonly destination?: string };
  readonly source?: Endpoint;
  readonly destination?: Endpoint;
  readonly node_name?: string;
  readonly l7?: { readonly type?: string; readonly latency_ns?: number; readonly http?: Http };
  readonly source_service?: ServiceName;
  readonly destination_service?: ServiceName;
  readonly traffic_direction?: string;
  readonly trace_observation_point?: string;
  readonly trace_reason?: string;
  readonly is_reply?: { readonly value?: boolean };
  /** How a policy verdict was found: 4 = by nothing but the wildcard. */
  readonly policy_match_type?: number;
  /** `log.value` of the policies whose rules matched; not filled on drops (cilium/cilium #42044). */
  readonly policy_log?: readonly string[];
  readonly source_names?: readonly string[];
  readonly destination_names?: readonly string[];
}

export interface Ports {
  readonly source_port?: number;
  readonly destination_port?: number;
  readonly flags?: { readonly SYN?: boolean; readonly ACK?: boolean };
}

interface ServiceName {
  readonly name?: string;
  readonly namespace?: string;
}

export interface Http {
  readonly code?: number;
  readonly method?: string;
  readonly url?: string;
  readonly protocol?: string;
  readonly headers?: readonly { readonly key?: string; readonly value?: string }[];
}

export interface GetFlowsResponse {
  readonly flow?: Flow;
  readonly node_status?: { readonly state_change?: string; readonly node_names?: readonly string[]; readonly message?: string };
  readonly lost_events?: { readonly source?: string; readonly num_events_lost?: number };
  readonly node_name?: string;
  readonly time?: Timestamp;
}

/** Events that an agent says are missing, and since when (epoch ms); it keeps that in its ring, in its place among the flows. */
export function lostOf({
  lost_events: lost,
  time,
}: GetFlowsResponse): { readonly at?: number; readonly source: string; readonly count: number } | undefined {
  if (!lost) return undefined;
  const count = Math.max(1, lost.num_events_lost ?? 1);
  return { ...(time && { at: millisecondsOf(time) }), source: lost.source ?? 'unknown source', count };
}

export interface ServerStatus {
  readonly num_flows?: number;
  readonly max_flows?: number;
  readonly seen_flows?: number;
  readonly uptime_ns?: number;
  /** Flows a second; agents of before Cilium 1.16 do not tell it. */
  readonly flows_rate?: number;
  readonly num_unavailable_nodes?: { readonly value?: number };
  readonly unavailable_nodes?: readonly string[];
  readonly version?: string;
}

/** Epoch milliseconds of a protobuf timestamp; 0 when it is missing. */
export function millisecondsOf(time: Timestamp | undefined): number {
  return time ? time.seconds * 1_000 + (time.nanos ?? 0) / 1e6 : 0;
}

export function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: Math.round((ms - seconds * 1_000) * 1e6) };
}

/** A packet on its way, as the datapath reports it where nothing is decided (monitor event type 4). */
export function isTrace({ event_type }: Flow): boolean {
  return event_type?.type === 4;
}

/** Namespaces and addresses at both ends. */
export function keysOf({ source, destination, IP }: Flow): readonly string[] {
  return [source?.namespace, destination?.namespace, IP?.source, IP?.destination].filter(
    (key) => key !== undefined && key !== '',
  ) as string[];
}
