import { Client, type ClientReadableStream } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { agentServerName, readFiles } from '../../src/clients/hubble/tls.ts';
import type { Cilium } from '../cilium/cilium.ts';

/** A flow as an agent sends it, every field of it: decoded by Cilium's own proto, not by the part of it that the product reads. */
export type WireFlow = Readonly<Record<string, unknown>> & {
  readonly time: { readonly seconds: number; readonly nanos?: number };
  readonly verdict?: string;
  readonly node_name?: string;
  readonly event_type?: { readonly type?: number; readonly sub_type?: number };
  readonly traffic_direction?: string;
  readonly trace_observation_point?: string;
  readonly trace_reason?: string;
  readonly drop_reason_desc?: string;
  readonly policy_match_type?: number;
  readonly policy_log?: readonly string[];
  readonly is_reply?: { readonly value?: boolean };
  readonly IP?: { readonly source?: string; readonly destination?: string };
  readonly l4?: Readonly<Record<string, Ports>>;
  readonly l7?: { readonly type?: string; readonly http?: { readonly code?: number }; readonly dns?: { readonly rcode?: number } };
  readonly source?: WireEnd;
  readonly destination?: WireEnd;
};

interface Ports {
  readonly source_port?: number;
  readonly destination_port?: number;
  readonly flags?: Readonly<Record<string, boolean>>;
}

export interface WireEnd {
  readonly identity?: number;
  readonly namespace?: string;
  readonly pod_name?: string;
  readonly labels?: readonly string[];
}

/** One flow and when it came (epoch ms). */
export interface Heard {
  readonly arrived: number;
  readonly node: string;
  readonly flow: WireFlow;
}

/** Hears everything that happens from now on, until `stop`: also what the agents have in their rings before a stream stands. */
export function hearAll(
  { nodes, hubbleTls }: Pick<Cilium, 'nodes' | 'hubbleTls'>,
  protos: string,
  cluster: string,
): { readonly heard: Heard[]; stop(): void } {
  const loaded = loadSync('observer/observer.proto', {
    includeDirs: [protos],
    keepCase: true,
    longs: Number,
    enums: String,
    oneofs: false,
  });
  const { GetFlows } = loaded['observer.Observer'] as unknown as Record<'GetFlows', MethodDefinition<object, object>>;
  const { credentials } = readFiles(hubbleTls);
  const heard: Heard[] = [];
  const clients = nodes.map(({ name, hubbleAddress }) => {
    const client = new Client(hubbleAddress, credentials, {
      'grpc.ssl_target_name_override': agentServerName(name, cluster),
      'grpc.enable_http_proxy': 0,
    });
    const call: ClientReadableStream<object> = client.makeServerStreamRequest(
      GetFlows.path,
      GetFlows.requestSerialize,
      GetFlows.responseDeserialize,
      { follow: true, since: { seconds: Math.floor(Date.now() / 1_000) } },
    );
    call.on('data', ({ flow }: { readonly flow?: WireFlow }) => {
      if (flow) heard.push({ arrived: performance.timeOrigin + performance.now(), node: name, flow });
    });
    call.on('error', () => undefined);
    return { client, call };
  });
  return {
    heard,
    stop: () => {
      for (const { client, call } of clients) {
        call.cancel();
        client.close();
      }
    },
  };
}
