/** Envoy's static part: the admin port, the access-log server, and folders it reads the rest from. */
import { join } from 'node:path';

export interface BootstrapOptions {
  readonly adminPort: number;
  readonly accessLogPort: number;
  /** Where Envoy's admin interface listens; default loopback. */
  readonly address?: string;
  /** Where the access-log server listens; default loopback. */
  readonly accessLogAddress?: string;
  readonly folder: string;
}

/** A subscription to one file; the folder is watched, since renames in it are what is atomic. */
export function fromFile(folder: string, kind: string, file: string): object {
  return {
    resource_api_version: 'V3',
    path_config_source: { path: join(folder, kind, file), watched_directory: { path: join(folder, kind) } },
  };
}

const at = (port: number, address = '127.0.0.1'): object => ({ socket_address: { address, port_value: port } });

/** The bootstrap configuration, to be written as JSON. */
export function bootstrap(options: BootstrapOptions): object {
  return {
    node: { id: 'gateway', cluster: 'cilium-gateway' },
    admin: { address: at(options.adminPort, options.address) },
    dynamic_resources: {
      lds_config: fromFile(options.folder, 'lds', 'listeners.json'),
      cds_config: fromFile(options.folder, 'cds', 'clusters.json'),
    },
    static_resources: {
      clusters: [
        {
          name: 'access-log',
          type: 'STATIC',
          connect_timeout: '1s',
          typed_extension_protocol_options: http2,
          load_assignment: {
            cluster_name: 'access-log',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: at(options.accessLogPort, options.accessLogAddress) } }] }],
          },
        },
      ],
    },
    stats_config: { use_all_default_tags: true },
  };
}

/** Protocol options that make a cluster speak HTTP/2 without TLS. */
export const http2 = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
} as const;
