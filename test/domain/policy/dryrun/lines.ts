// Records as `hubble observe -o jsonpb` prints them, made by hand.
import { type ReadFlow, readRecordedLine } from '../../../../src/domain/policy/dryrun/recorded.ts';
import { parsePolicy } from '../../../../src/domain/policy/parse.ts';
import type { Policy } from '../../../../src/domain/policy/policy.ts';

export interface End {
  readonly namespace?: string;
  readonly pod?: string;
  readonly ip: string;
  readonly labels: readonly string[];
  readonly identity?: number;
}

export function pod(namespace: string, app: string, ip: string, extra: readonly string[] = []): End {
  return {
    namespace,
    pod: `${app}-7d4b9-x1`,
    ip,
    identity: 1_000,
    labels: [
      `k8s:app=${app}`,
      `k8s:io.kubernetes.pod.namespace=${namespace}`,
      'k8s:io.cilium.k8s.policy.cluster=default',
      `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
      ...extra,
    ],
  };
}
export const FRONTEND = pod('frontend', 'frontend', '10.0.1.10');
export const BACKEND = pod('backend', 'backend', '10.0.2.20', ['k8s:version=v1']);
export const DATABASE = pod('database', 'database', '10.0.3.30');
export const DNS: End = { ...pod('kube-system', 'coredns', '10.0.9.9', ['k8s:k8s-app=kube-dns']) };
export const HOST: End = { ip: '172.18.0.2', labels: ['reserved:host'], identity: 1 };
export const INGRESS: End = { ip: '10.0.5.5', labels: ['reserved:ingress'], identity: 8 };
export const API: End = { ip: '172.18.0.3', labels: ['reserved:kube-apiserver', 'reserved:remote-node'], identity: 7 };
export const WORLD = (ip = '203.0.113.9'): End => ({ ip, labels: ['reserved:world'], identity: 2 });

export interface Told {
  readonly from: End;
  readonly to: End;
  readonly port?: number;
  readonly sourcePort?: number;
  readonly direction?: 'INGRESS' | 'EGRESS';
  readonly verdict?: 'FORWARDED' | 'DROPPED' | 'REDIRECTED';
  readonly event?: 1 | 4 | 5 | 129;
  readonly udp?: boolean;
  readonly at?: number;
  readonly reply?: boolean | null;
  readonly names?: readonly string[];
  readonly http?: { readonly method: string; readonly url: string };
  readonly query?: string;
  readonly more?: object;
}

export const START = Date.UTC(2026, 0, 1, 12);

/** One line of a recording. `at` in seconds after noon. */
export function line(told: Told): string {
  const { from, to, port = 8080, sourcePort = 40_000, direction = 'INGRESS', verdict = 'FORWARDED', event = 5, at = 0 } = told;
  const ports = { source_port: sourcePort, destination_port: port };
  const end = ({ namespace, pod: pod_name, labels, identity }: End) => ({ ID: 1, identity, namespace, labels, pod_name });
  const layer7 = told.http ? { http: told.http } : told.query ? { dns: { query: told.query } } : undefined;
  const flow = {
    time: new Date(START + at * 1_000).toISOString().replace('Z', '123456Z'),
    uuid: `${from.ip}-${sourcePort}-${at}-${event}`,
    verdict,
    IP: { source: from.ip, destination: to.ip, ipVersion: 'IPv4' },
    l4: told.udp ? { UDP: ports } : { TCP: { ...ports, flags: { SYN: true } } },
    source: end(from),
    destination: end(to),
    Type: layer7 ? 'L7' : 'L3_L4',
    node_name: 'default/node-1',
    event_type: { type: layer7 ? 129 : event, ...(event === 4 ? { sub_type: 101 } : {}) },
    traffic_direction: direction,
    ...(event === 4 ? { trace_observation_point: 'TO_ENDPOINT' } : {}),
    ...(verdict === 'DROPPED' && event === 1 ? { drop_reason_desc: 'POLICY_DENIED' } : {}),
    ...(told.reply === null || event === 1 ? {} : { is_reply: told.reply ?? false }),
    ...(told.names ? { destination_names: told.names } : {}),
    ...(layer7 ? { l7: { type: 'REQUEST', ...layer7 } } : {}),
    Summary: 'TCP Flags: SYN',
    ...told.more,
  };
  return JSON.stringify({ flow, node_name: 'default/node-1', time: flow.time });
}

export const record = (...told: readonly Told[]): readonly ReadFlow[] => told.map((one) => readRecordedLine(line(one)));

/** A policy in force, from its spec. */
export function policy(namespace: string, name: string, spec: object): Policy {
  const parsed = parsePolicy({ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { namespace, name }, spec });
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.policy;
}
