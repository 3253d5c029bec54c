import { type Flow, timestamp } from '../../../playground/cilium/flows/flow.ts';

let uuids = 0;

export interface VerdictOptions {
  readonly pod?: string;
  /** App and namespace of the peer; left out: the gateway. */
  readonly app?: string;
  /** Address of a peer outside. */
  readonly address?: string;
  readonly verdict?: 'FORWARDED' | 'DROPPED';
  readonly port?: number;
  readonly at?: number;
  readonly cohort?: string;
  readonly matchType?: number;
  readonly log?: readonly string[];
  readonly event?: 1 | 5;
  /** Port of the caller; left out: another connection each time. */
  readonly from?: number;
}

/** What an agent reports about a new connection to a pod of frontend/frontend. */
export function verdictFlow(node: string, options: VerdictOptions = {}): Flow {
  const { pod = 'frontend-1', app, address, verdict = 'FORWARDED', port = 8080, at = Date.now(), event = 5 } = options;
  uuids += 1;
  const { from = 30_000 + (uuids % 20_000) } = options;
  const isDrop = verdict === 'DROPPED';
  return {
    time: timestamp(at),
    uuid: `verdict-${uuids}`,
    verdict,
    Type: 'L3_L4',
    node_name: node,
    event_type: { type: event, ...(event === 1 && { sub_type: 133 }) },
    traffic_direction: 'INGRESS',
    ...(isDrop && { drop_reason_desc: 'POLICY_DENIED' }),
    ...(options.matchType !== undefined && { policy_match_type: options.matchType }),
    ...(options.log && { policy_log: [...options.log] }),
    IP: { source: address ?? '10.0.9.9', destination: '10.0.0.1', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: from, destination_port: port, flags: { SYN: true } } },
    source: peerOf(app, address),
    destination: {
      identity: 1_000,
      namespace: 'frontend',
      labels: [
        'k8s:app=frontend',
        'k8s:io.kubernetes.pod.namespace=frontend',
        'k8s:io.cilium.k8s.policy.cluster=default',
        ...(options.cohort === undefined ? [] : [`k8s:meshops.dev/cohort=${options.cohort}`]),
      ],
      pod_name: pod,
    },
    is_reply: { value: false },
    Summary: '',
  } as unknown as Flow;
}

function peerOf(app: string | undefined, address: string | undefined) {
  if (address !== undefined) return { identity: 2, labels: ['reserved:world'] };
  if (app === undefined) return { identity: 8, labels: ['reserved:ingress'] };
  const labels = [`k8s:app=${app}`, `k8s:io.kubernetes.pod.namespace=${app}`, 'k8s:io.cilium.k8s.policy.cluster=default'];
  return { identity: 2_000, namespace: app, labels, pod_name: `${app}-1` };
}
