import type { FlowFilter } from '../../../playground/cilium/flows/filter.ts';
import { type Flow, timestamp } from '../../../playground/cilium/flows/flow.ts';

/** A filter with the given fields; the others unset, as decoded. */
export function filter(part: Partial<FlowFilter>): FlowFilter {
  return {
    uuid: [],
    source_ip: [],
    destination_ip: [],
    source_pod: [],
    destination_pod: [],
    source_label: [],
    destination_label: [],
    source_service: [],
    destination_service: [],
    source_workload: [],
    destination_workload: [],
    source_identity: [],
    destination_identity: [],
    source_port: [],
    destination_port: [],
    verdict: [],
    drop_reason_desc: [],
    event_type: [],
    http_status_code: [],
    http_method: [],
    protocol: [],
    reply: [],
    node_name: [],
    traffic_direction: [],
    encrypted: [],
    tcp_flags: [],
    ...part,
  };
}

/** A 500 from a canary pod to the gateway, unless told otherwise. */
export function flow(part: Partial<Flow> = {}): Flow {
  return {
    time: timestamp(1_000),
    uuid: 'one',
    verdict: 'FORWARDED',
    IP: { source: '10.244.2.11', destination: '10.244.1.2', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: 8080, destination_port: 40_000 } },
    source: {
      identity: 10_002,
      namespace: 'backend',
      pod_name: 'backend-canary-abc-de',
      labels: ['k8s:app=backend', 'k8s:version=v2'],
      workloads: [{ name: 'backend-canary', kind: 'Deployment' }],
    },
    destination: { identity: 8, labels: ['reserved:ingress'] },
    Type: 'L7',
    node_name: 'node-1',
    l7: {
      type: 'RESPONSE',
      latency_ns: 5_000_000,
      http: { code: 500, method: 'GET', url: 'http://backend/', protocol: 'HTTP/1.1', headers: [] },
    },
    event_type: { type: 129 },
    traffic_direction: 'EGRESS',
    is_reply: { value: true },
    ...part,
  };
}
