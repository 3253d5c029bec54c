import type { ServerCredentials } from '@grpc/grpc-js';
import { type Flow, timestamp } from '../../../playground/cilium/flows/flow.ts';
import { serveObserver } from '../../../playground/cilium/flows/observer.ts';
import { createRing } from '../../../playground/cilium/flows/ring.ts';

/** The simulator's Observer over real gRPC, with a ring that a test fills. */
export async function startAgent(node: string, credentials?: ServerCredentials) {
  const ring = createRing();
  let server = await serveObserver({ node, ring, now: Date.now, port: 0, credentials });
  const { port } = server;
  return {
    node,
    ring,
    address: `127.0.0.1:${port}`,
    stop: () => server.stop(),
    restart: async (next = credentials) => {
      server = await serveObserver({ node, ring, now: Date.now, port, credentials: next });
    },
  };
}

let uuids = 0;

export interface Answer {
  readonly pod?: string;
  readonly namespace?: string;
  readonly address?: string;
  readonly status?: number;
  readonly latencyMs?: number;
  readonly at?: number;
  readonly requestId?: string;
  readonly direction?: 'EGRESS' | 'INGRESS';
  readonly type?: 'REQUEST' | 'RESPONSE';
}

/** The record of a request on its way to a pod. */
export function askFlow(node: string, answer: Answer = {}): Flow {
  const { source, destination, IP, ...flow } = answerFlow(node, { ...answer, type: 'REQUEST' });
  return {
    ...flow,
    source: destination,
    destination: source,
    IP: { ...IP, source: IP.destination, destination: IP.source },
    is_reply: { value: false },
  };
}

/** A packet of `source` to a canary pod that never arrived. */
export function dropFlow(
  node: string,
  options: {
    readonly at?: number;
    readonly port?: number;
    readonly reason?: string;
    readonly from?: number;
    readonly flag?: 'SYN' | 'ACK';
  } = {},
): Flow {
  const { at = Date.now(), port = 8080, reason = 'POLICY_DENIED', from = 41_000, flag = 'SYN' } = options;
  const { l7: _, ...flow } = askFlow(node, { at });
  return {
    ...flow,
    verdict: 'DROPPED',
    Type: 'L3_L4',
    event_type: { type: 1, sub_type: 133 },
    drop_reason_desc: reason,
    l4: { TCP: { source_port: from, destination_port: port, flags: { [flag]: true } } },
  };
}

/** The record of a response of a pod, to the gateway: the server is the source, as Cilium has it. */
export function answerFlow(node: string, answer: Answer = {}): Flow {
  const { pod = 'backend-canary-1', namespace = 'backend', address = '10.0.1.9', status = 200, latencyMs = 4, at = Date.now() } = answer;
  uuids += 1;
  return {
    time: timestamp(at),
    uuid: `uuid-${uuids}`,
    verdict: 'FORWARDED',
    Type: 'L7',
    node_name: node,
    event_type: { type: 129 },
    traffic_direction: answer.direction ?? 'EGRESS',
    IP: { source: address, destination: '10.0.0.1', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: 8080, destination_port: 41_000 } },
    source: { identity: 1_001, namespace, labels: ['k8s:app=backend'], pod_name: pod },
    destination: { identity: 8, labels: ['reserved:ingress'] },
    l7: {
      type: answer.type ?? 'RESPONSE',
      latency_ns: latencyMs * 1e6,
      http: {
        code: status,
        method: 'GET',
        url: 'http://backend/',
        protocol: 'HTTP/1.1',
        headers: answer.requestId === undefined ? [] : [{ key: 'X-Request-Id', value: answer.requestId }],
      },
    },
    is_reply: { value: true },
    Summary: '',
  } as Flow;
}
