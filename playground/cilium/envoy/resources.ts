/** Envoy's dynamic part as JSON: listeners, clusters and their endpoints. Routes come from gateway/translate.ts. */
import { fromFile, http2 } from './bootstrap.ts';

const typed = (name: string): string => `type.googleapis.com/envoy.${name}`;

/** The two log names by which the access-log server tells a request that reached a pod from a finished exchange. */
export const logNames = { upstream: 'upstream', downstream: 'downstream' } as const;

/** An access log that speaks to the server of access-log.ts. */
export function accessLog(logName: string): object {
  return {
    name: 'envoy.access_loggers.http_grpc',
    typed_config: {
      '@type': typed('extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig'),
      common_config: {
        log_name: logName,
        transport_api_version: 'V3',
        grpc_service: { envoy_grpc: { cluster_name: 'access-log' } },
        // 0 sends each record as it is made: no tail from a buffer that waits to be flushed.
        buffer_size_bytes: 0,
        buffer_flush_interval: '0.01s',
      },
      // Cilium's filter logs every header; here the one that probes are known by.
      additional_request_headers_to_log: ['x-meshops-probe'],
      // For the record of what really happened only: Hubble does not get to see it.
      additional_response_headers_to_log: ['grpc-status'],
      additional_response_trailers_to_log: ['grpc-status'],
    },
  };
}

const router = {
  name: 'envoy.filters.http.router',
  typed_config: {
    '@type': typed('extensions.filters.http.router.v3.Router'),
    upstream_log: [accessLog(logNames.upstream)],
    // Cilium logs a request when its connection to the pod exists, not when it ends.
    upstream_log_options: { flush_upstream_log_on_upstream_stream: true },
  },
};

// Cilium's HTTP connection manager installs grpc_stats, so that gRPC status appears in Envoy's counters (it does not in Hubble).
const grpcStats = {
  name: 'envoy.filters.http.grpc_stats',
  typed_config: {
    '@type': typed('extensions.filters.http.grpc_stats.v3.FilterConfig'),
    emit_filter_state: true,
    enable_upstream_stats: true,
  },
};

const onLoopback = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });

/** A listener on one or more loopback ports; its routes come from a file of the same name. */
export function listener(name: string, [port = 0, ...more]: readonly number[], folder: string): object {
  return {
    '@type': typed('config.listener.v3.Listener'),
    name,
    address: onLoopback(port),
    additional_addresses: more.map((each) => ({ address: onLoopback(each) })),
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': typed('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
              stat_prefix: name,
              codec_type: 'AUTO',
              rds: { route_config_name: name, config_source: fromFile(folder, `rds-${fileSafe(name)}`, 'routes.json') },
              access_log: [accessLog(logNames.downstream)],
              http_filters: [grpcStats, router],
              use_remote_address: true,
              stream_idle_timeout: '300s',
            },
          },
        ],
      },
    ],
  };
}

/** A cluster whose endpoints come from a file of its own (Envoy's EDS takes exactly one resource per file). */
export function cluster(name: string, grpc: boolean, folder: string): object {
  return {
    '@type': typed('config.cluster.v3.Cluster'),
    name,
    type: 'EDS',
    connect_timeout: '5s',
    eds_cluster_config: { service_name: name, eds_config: fromFile(folder, `eds-${fileSafe(name)}`, 'endpoints.json') },
    ...(grpc ? { typed_extension_protocol_options: http2 } : {}),
  };
}

/** The endpoints of a cluster as local ports; none means 503 from Envoy. */
export function endpoints(name: string, ports: readonly number[]): object {
  return endpointsAt(
    name,
    ports.map((port) => ['127.0.0.1', port]),
  );
}

/** The endpoints of a cluster as addresses with ports. */
export function endpointsAt(name: string, addresses: readonly (readonly [string, number])[]): object {
  return {
    '@type': typed('config.endpoint.v3.ClusterLoadAssignment'),
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: addresses.map(([address, port]) => ({ endpoint: { address: { socket_address: { address, port_value: port } } } })),
      },
    ],
  };
}

/** A name as part of a folder name. */
export const fileSafe = (name: string): string => name.replaceAll(/[^A-Za-z0-9-]/g, '_');
