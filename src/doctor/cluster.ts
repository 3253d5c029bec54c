import { connect } from 'node:net';
import { createFlows } from '../clients/hubble/flows.ts';
import { connectCluster } from '../clients/kubernetes/cluster.ts';
import { createHub } from '../clients/kubernetes/hub.ts';
import { GATEWAY, type Gateway } from '../clients/kubernetes/objects.ts';
import { createRest } from '../clients/kubernetes/rest.ts';
import { connectPrometheus } from '../clients/prometheus/prometheus.ts';
import { hubbleOf } from '../connect/hubble.ts';
import { type ClusterConfig, kubeConfigOf } from '../connect/kubernetes.ts';
import type { Config } from '../domain/config/schema.ts';
import { SILENT } from '../log.ts';
import { type Check, Missing, type ProcessName, type Remark } from './checks.ts';
import { ciliumChecks } from './cilium.ts';
import { skewWords } from './clock.ts';
import { rightsChecks } from './rights.ts';

/** The oldest Kubernetes whose field validation and token format meshops relies on. */
const OLDEST_MINOR = 27;
const GATEWAY_API = '/apis/gateway.networking.k8s.io/v1';
const APIS = [
  { path: GATEWAY_API, resource: 'httproutes', what: 'the Gateway API (v1)' },
  { path: '/apis/cilium.io/v2', resource: 'ciliumnodes', what: "Cilium's own resources (v2)" },
] as const;
const CALL_MS = 5_000;
const KNOCK_MS = 2_000;
const HUBBLE = 'Check `hubble` in meshops.yaml: addresses, and certificates that the agents trust (docs/configuration.md).';

/** Everything of one cluster that meshops needs. */
export function clusterChecks(name: string, cluster: ClusterConfig, config: Config, process: ProcessName): readonly Check[] {
  const reach = 'Check `kubernetes` of the cluster in meshops.yaml, and that this machine reaches its API server.';
  return [
    { name: `${name}: Kubernetes`, todo: reach, look: (signal) => checkVersion(cluster, signal) },
    { name: `${name}: clock`, todo: reach, look: (signal) => checkClock(cluster, signal) },
    ...APIS.map(
      (api): Check => ({
        name: `${name}: ${api.resource}`,
        todo: `Install the CRDs of ${api.what}.`,
        look: (signal) => checkApi(cluster, api, signal),
      }),
    ),
    { name: `${name}: grpcroutes`, todo: reach, look: (signal) => checkGrpc(cluster, signal) },
    ...rightsChecks(name, cluster, config, process),
    { name: `${name}: Hubble`, todo: HUBBLE, look: (signal) => checkHubble(cluster, signal) },
    ...ciliumChecks(name, cluster, config),
    ...(process === 'bot' ? [] : [gatewayCheck(name, cluster)]),
    ...prometheusChecks(name, cluster),
  ];
}

async function get(cluster: ClusterConfig, path: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  const rest = createRest(kubeConfigOf(cluster));
  try {
    return (await rest.call({ method: 'GET', path, signal, deadlineMs: CALL_MS })) as Readonly<Record<string, unknown>>;
  } finally {
    rest.close();
  }
}

async function checkVersion(cluster: ClusterConfig, signal: AbortSignal): Promise<string> {
  const { major, minor, gitVersion } = await get(cluster, '/version', signal);
  const number = Number.parseInt(String(minor), 10);
  if (major !== '1' || number < OLDEST_MINOR)
    throw new Missing(`${String(gitVersion)} is too old; 1.${OLDEST_MINOR} or newer is needed`, 'Upgrade the cluster.');
  return String(gitVersion);
}

async function checkClock(cluster: ClusterConfig, signal: AbortSignal): Promise<string | Remark> {
  const rest = createRest(kubeConfigOf(cluster));
  try {
    const sent = Date.now();
    let date: string | undefined;
    const heard = (headers: { readonly date?: string | undefined }): void => void (date = headers.date);
    await rest.call({ method: 'GET', path: '/version', signal, deadlineMs: CALL_MS, heard });
    return skewWords('the API server', date, sent, Date.now());
  } finally {
    rest.close();
  }
}

async function resourcesOf(cluster: ClusterConfig, path: string, signal: AbortSignal): Promise<readonly string[]> {
  const found = await get(cluster, path, signal);
  return ((found['resources'] ?? []) as readonly { readonly name: string }[]).map(({ name }) => name);
}

async function checkApi(cluster: ClusterConfig, { path, resource, what }: (typeof APIS)[number], signal: AbortSignal): Promise<string> {
  const resources = await resourcesOf(cluster, path, signal).catch((error: unknown) => {
    throw new Error(`${what} cannot be read`, { cause: error });
  });
  if (!resources.includes(resource)) throw new Error(`${what} has no ${resource}`);
  return what;
}

async function checkGrpc(cluster: ClusterConfig, signal: AbortSignal): Promise<string | Remark> {
  const resources = await resourcesOf(cluster, GATEWAY_API, signal);
  if (!resources.includes('grpcroutes'))
    return {
      words: 'not served: canaries of gRPC routes cannot be planned',
      todo: 'Install the CRD GRPCRoute of the Gateway API, if you have any.',
    };
  if (cluster.prometheus) return 'served; errors of gRPC are counted in Prometheus';
  return {
    words: 'served, but errors of gRPC are HTTP 200 in flows: a canary of a gRPC route is refused',
    todo: "Name the cluster's `prometheus`, one that scrapes Cilium's Envoy, if you have such routes.",
  };
}

async function checkHubble(config: ClusterConfig, signal: AbortSignal): Promise<string> {
  const cluster = connectCluster(kubeConfigOf(config), config);
  const hub = createHub({ cluster, log: SILENT });
  const flows = createFlows({ ...hubbleOf(config, cluster, hub), now: Date.now, log: SILENT });
  try {
    const found = await flows.check(signal);
    const silent = found.flatMap(({ node, problem }) => (problem === undefined ? [] : [`${node}: ${problem}`]));
    if (found.length === 0) throw new Error('no agent was found: are there CiliumNodes?');
    if (silent.length > 0) throw new Error(`${silent.length} of ${found.length} do not answer well: ${silent.join('; ')}`);
    return `${found.length} ${found.length === 1 ? 'source' : 'sources'} of flows${config.hubble.tls ? ', over TLS' : ', in plain text'}`;
  } finally {
    flows.close();
    hub.close();
    cluster.close();
  }
}

/** Requests of our own go the way that people's do: can this process reach the Gateways? */
function gatewayCheck(name: string, config: ClusterConfig): Check {
  return {
    name: `${name}: Gateways`,
    todo: 'Write probe.gateways of the cluster for Gateways whose address is not the way from here; open their ports in network-policy.yaml.',
    look: async (signal) => {
      const { probe } = config;
      if (probe === 'off') {
        const todo = 'Take `probe: off` out, if this process can reach the Gateways.';
        return { words: 'not probed (probe: off): that requests are seen in flows is not proved before a canary gets weight', todo };
      }
      const cluster = connectCluster(kubeConfigOf(config), config);
      try {
        const { items } = await cluster.list<Gateway>(GATEWAY, {}, { signal, deadlineMs: CALL_MS });
        const doors = items.flatMap((gateway) => doorOf(gateway, probe.gateways));
        const found = await Promise.all(doors.map(async (door) => ({ ...door, problem: await knock(door, signal) })));
        const closed = found.filter(({ problem }) => problem !== undefined);
        if (closed.length > 0)
          throw new Error(`not reached: ${closed.map(({ gateway, at, problem }) => `${gateway} at ${at} (${problem})`).join('; ')}`);
        if (found.length > 0) return `${found.map(({ gateway, at }) => `${gateway} at ${at}`).join(', ')}`;
        return items.length === 0 ? 'there is none: routes of the mesh itself are not probed' : 'none has an address yet';
      } finally {
        cluster.close();
      }
    },
  };
}

interface Door {
  readonly gateway: string;
  readonly at: string;
  readonly host: string;
  readonly port: number;
}

function doorOf({ metadata, spec, status }: Gateway, known: Readonly<Record<string, string>>): readonly Door[] {
  const gateway = `${metadata.namespace}/${metadata.name}`;
  const root = known[gateway];
  if (root !== undefined) {
    const { hostname, port, protocol } = new URL(root);
    return [{ gateway, at: root, host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || (protocol === 'https:' ? 443 : 80) }];
  }
  const [address] = (status?.addresses ?? []).flatMap(({ value }) => value ?? []);
  const [listener] = (spec.listeners ?? []).filter(({ protocol }) => protocol === 'HTTP' || protocol === 'HTTPS');
  return address === undefined || !listener ? [] : [{ gateway, at: `${address}:${listener.port}`, host: address, port: listener.port }];
}

/** Undefined, or why no connection came about. */
function knock({ host, port }: Door, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: KNOCK_MS, signal });
    const done = (problem?: string): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => done());
    socket.once('timeout', () => done('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}

/** Envoy's counters tell of requests that reach no pod, and of gRPC's errors. */
const ENVOY = 'envoy_cluster_upstream_rq_xx';

function prometheusChecks(name: string, { prometheus }: ClusterConfig): readonly Check[] {
  if (!prometheus) {
    const words = 'not named: requests that reach no pod are not seen';
    const todo = "Name one that scrapes Cilium's Envoy: `prometheus` of the cluster.";
    return [{ name: `${name}: Prometheus`, todo, look: async () => ({ words, todo }) }];
  }
  const { url } = prometheus;
  const ask = (query: string, signal: AbortSignal) => connectPrometheus({ ...prometheus, deadlineMs: CALL_MS }).instant(query, { signal });
  const scrape = 'Scrape the Envoy of every node (Helm: envoy.prometheus.enabled, or prometheus.enabled where it runs in the agent).';
  return [
    {
      name: `${name}: Prometheus`,
      todo: 'Check its URL, and what it wants of its callers: `tls`, `bearerFile`, `basic`, `tenant`.',
      look: async (signal) => {
        await ask('vector(1)', signal);
        return url;
      },
    },
    {
      name: `${name}: Envoy's counters`,
      todo: 'Look at the line of Prometheus first.',
      look: async (signal) => {
        const [series] = await ask(`count(${ENVOY})`, signal);
        if (series && series.value > 0) return `${series.value} series of ${ENVOY}`;
        return { words: `no series of ${ENVOY}: requests that reach no pod, and errors of gRPC, are not seen`, todo: scrape };
      },
    },
  ];
}
