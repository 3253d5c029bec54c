import * as z from 'zod';

/**
 * One flow as Hubble records it: a line of `hubble observe -o jsonpb` (`{"flow": {…}}`), a bare flow, or the form in which the Observer
 * API is decoded (times as seconds and nanoseconds, booleans in `{value}`). Unknown members are ignored, `null` counts as absent.
 */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const whole = z.coerce
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const flag = z
  .union([z.boolean(), z.object({ value: z.boolean().nullish() })])
  .nullish()
  .transform((value) => (typeof value === 'object' && value !== null ? (value.value ?? false) : (value ?? undefined)));
const time = z
  .union([z.string(), z.object({ seconds: z.coerce.number(), nanos: z.number().nullish() })])
  .nullish()
  .transform((value) =>
    typeof value === 'string' ? Date.parse(value) : value ? value.seconds * 1_000 + (value.nanos ?? 0) / 1e6 : Number.NaN,
  );

/** A reason that the reader's proto has no name for comes as its number (cilium v1.20.2, api/v1/flow/flow.proto). */
const NUMBERED: Readonly<Record<string, string>> = { 133: 'POLICY_DENIED', 181: 'POLICY_DENY', 189: 'AUTH_REQUIRED' };
const dropReason = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => NUMBERED[String(value)] ?? String(value ?? ''));

const Endpoint = z
  .object({ identity: whole, namespace: text, labels: texts, pod_name: text })
  .nullish()
  .transform((value) => value ?? { identity: 0, namespace: '', labels: [], pod_name: '' });
const Ports = z.object({
  source_port: whole,
  destination_port: whole,
  flags: z.object({ SYN: z.boolean().nullish(), ACK: z.boolean().nullish() }).nullish(),
});
const Icmp = z.object({ type: whole });
const Layer4 = z.object({
  TCP: Ports.nullish(),
  UDP: Ports.nullish(),
  SCTP: Ports.nullish(),
  ICMPv4: Icmp.nullish(),
  ICMPv6: Icmp.nullish(),
});
const Layer7 = z.object({
  type: text,
  http: z.object({ method: text, url: text, headers: z.array(z.object({ key: text, value: text })).nullish() }).nullish(),
  dns: z.object({ query: text }).nullish(),
});

export const RecordedFlow = z.object({
  time,
  uuid: text,
  verdict: text,
  drop_reason_desc: dropReason,
  IP: z
    .object({ source: text, destination: text })
    .nullish()
    .transform((value) => value ?? { source: '', destination: '' }),
  l4: Layer4.nullish(),
  source: Endpoint,
  destination: Endpoint,
  l7: Layer7.nullish(),
  event_type: z.object({ type: whole }).nullish(),
  traffic_direction: text,
  trace_observation_point: text,
  trace_reason: text,
  is_reply: flag,
  destination_names: texts,
  source_names: texts,
});
export type RecordedFlow = z.infer<typeof RecordedFlow>;

export type ReadFlow =
  | { readonly kind: 'flow'; readonly flow: RecordedFlow }
  /** The recorder itself says that events are missing. */
  | { readonly kind: 'lost'; readonly events: number }
  /** Node status and the like. */
  | { readonly kind: 'other' }
  | { readonly kind: 'unreadable'; readonly words: string };

const Line = z.object({
  flow: z.unknown().optional(),
  lost_events: z.object({ num_events_lost: whole }).nullish(),
  node_status: z.unknown().optional(),
});

/** One value out of a recording. Total. */
export function readRecorded(value: unknown): ReadFlow {
  const line = Line.safeParse(value);
  if (!line.success) return { kind: 'unreadable', words: 'it is no flow' };
  if (line.data.lost_events) return { kind: 'lost', events: line.data.lost_events.num_events_lost };
  if (line.data.node_status !== undefined && line.data.node_status !== null) return { kind: 'other' };
  const flow = RecordedFlow.safeParse(line.data.flow ?? value);
  if (!flow.success)
    return { kind: 'unreadable', words: flow.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
  const { verdict, source, destination } = flow.data;
  if (verdict === '' && source.labels.length + destination.labels.length === 0) return { kind: 'unreadable', words: 'it is no flow' };
  return { kind: 'flow', flow: flow.data };
}

/** One line of a recorded file. Total: a line that is no JSON is said to be one. */
export function readRecordedLine(line: string): ReadFlow {
  try {
    return readRecorded(JSON.parse(line));
  } catch {
    return { kind: 'unreadable', words: 'it is not JSON' };
  }
}
