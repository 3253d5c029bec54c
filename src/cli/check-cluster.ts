import { createFlows } from '../../activities/clients/hubble/flows.ts';
import { connectCluster, type Right } from '../../activities/clients/kubernetes/cluster.ts';
import { createHub } from '../../activities/clients/kubernetes/hub.ts';
import { createRest } from '../../activities/clients/kubernetes/rest.ts';
import { connectPrometheus } from '../../activities/clients/prometheus/prometheus.ts';
import { SILENT } from '../../activities/log.ts';
import { type ClusterConfig, kubeConfigOf } from '../compose/clusters.ts';
import { hubbleOf } from '../compose/hubble.ts';
import type { Config } from '../domain/config/schema.ts';
import type { Check } from './checks.ts';

/** APIs that meshops reads and writes, with the oldest Kubernetes whose field validation and token format it relies on. */
const OLDEST_MINOR = 27;
const APIS = [
  { path: '/apis/gateway.networking.k8s.io/v1', resource: 'httproutes', what: 'the Gateway API (v1)' },
  { path: '/apis/cilium.io/v2', resource: 'ciliumnodes', what: "Cilium's own resources (v2)" },
] as const;
const CALL_MS = 5_000;
/** Names that nobody logs in with: they have the rights that are bound to them for meshops, and admission knows them (admission.yaml). */
const OWN_NAMES = 'meshops:';

export function clusterChecks(name: string, cluster: ClusterConfig, config: Config): readonly Check[] {
  return [
    { name: `${name}: Kubernetes`, look: (signal) => checkVersion(cluster, signal) },
    ...APIS.map((api): Check => ({ name: `${name}: ${api.resource}`, look: (signal) => checkApi(cluster, api, signal) })),
    { name: `${name}: rights of the bot`, look: (signal) => checkRights(cluster, rightsOf(name, config), signal) },
    { name: `${name}: impersonation`, look: (signal) => checkImpersonation(cluster, config, signal) },
    { name: `${name}: Hubble`, look: (signal) => checkHubble(cluster, signal) },
    ...(cluster.prometheus === undefined ? [] : [prometheusCheck(name, cluster.prometheus)]),
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
  if (major !== '1' || number < OLDEST_MINOR) throw new Error(`${String(gitVersion)} is too old; 1.${OLDEST_MINOR} or newer is needed`);
  return String(gitVersion);
}

async function checkApi(cluster: ClusterConfig, api: (typeof APIS)[number], signal: AbortSignal): Promise<string> {
  const found = await get(cluster, api.path, signal).catch((error: unknown) => {
    throw new Error(`${api.what} cannot be read: install its CRDs`, { cause: error });
  });
  const resources = found['resources'] as readonly { readonly name: string }[] | undefined;
  if (!resources?.some((resource) => resource.name === api.resource))
    throw new Error(`${api.what} has no ${api.resource}: install its CRDs`);
  return api.what;
}

/** What the worker itself does: it reads, and it puts back. Forward writes are made as the person who asked. */
function rightsOf(cluster: string, config: Config): readonly Right[] {
  const namespaces = new Set(config.channels.filter((one) => (one.cluster ?? cluster) === cluster).flatMap((one) => one.namespace ?? []));
  const route = { group: 'gateway.networking.k8s.io', resource: 'httproutes' };
  return [
    ...['list', 'watch'].map((verb) => ({ verb, ...route })),
    ...['list', 'watch'].map((verb) => ({ verb, group: 'discovery.k8s.io', resource: 'endpointslices' })),
    { verb: 'list', group: '', resource: 'services' },
    { verb: 'list', group: 'cilium.io', resource: 'ciliumnodes' },
    {
      verb: 'get',
      group: '',
      resource: 'configmaps',
      namespace: config.clusters[cluster]?.ciliumNamespace ?? 'kube-system',
      name: 'cilium-config',
    },
    ...[...namespaces].map((namespace) => ({ verb: 'patch', ...route, namespace })),
  ];
}

/** Where the API server lets an account act as somebody: for everything, or (from 1.36 on) only for the kinds of requests that are named. */
const WHOLE = { verb: 'impersonate', group: '' } as const;
const CONFINED = { verb: 'impersonate:user-info', group: 'authentication.k8s.io' } as const;

interface Acted {
  readonly resource: 'users' | 'groups';
  readonly name: string;
}

/** Whom the worker acts as; people of whole domains cannot be asked about. */
function actedAs(config: Config): readonly Acted[] {
  const rules = config.identities.rules;
  const users = rules.map((rule) => rule.user.replaceAll('{email}', rule.email)).filter((user) => !user.includes('*@'));
  const groups = [...rules, ...(config.identities.default ? [config.identities.default] : [])].flatMap((rule) => rule.groups);
  const named = (resource: Acted['resource'], names: readonly string[]): readonly Acted[] =>
    [...new Set(names)].map((name) => ({ resource, name }));
  return [...named('users', users), ...named('groups', groups)];
}

/** May the worker act as everybody whom the configuration names? Says which names lend it more than meshops needs. */
async function checkImpersonation(cluster: ClusterConfig, config: Config, signal: AbortSignal): Promise<string> {
  const connected = connectCluster(kubeConfigOf(cluster), cluster);
  const may = async (right: Right): Promise<boolean> => (await connected.mayI(right, { signal, deadlineMs: CALL_MS })).allowed;
  try {
    const names = actedAs(config);
    const found = await Promise.all(
      names.map(async (name) => {
        const whole = await may({ ...WHOLE, ...name });
        return { name, whole, allowed: whole || (await may({ ...CONFINED, ...name })) };
      }),
    );
    const missing = found.filter(({ allowed }) => !allowed).map(({ name }) => formatRight({ ...WHOLE, ...name }));
    if (missing.length > 0) throw new Error(`missing: ${missing.join('; ')} (manifests/base/rbac-impersonate.yaml)`);
    const lent = found.filter(({ name, whole }) => whole && !name.name.startsWith(OWN_NAMES)).map(({ name }) => name.name);
    const warning = lent.length > 0 ? `; lends every right of ${lent.join(', ')} in the whole cluster (docs/security.md)` : '';
    return `${names.length} of ${names.length}${warning}`;
  } finally {
    connected.close();
  }
}

async function checkRights(config: ClusterConfig, rights: readonly Right[], signal: AbortSignal): Promise<string> {
  const cluster = connectCluster(kubeConfigOf(config), config);
  try {
    const answers = await Promise.all(
      rights.map(async (right) => ({ right, ...(await cluster.mayI(right, { signal, deadlineMs: CALL_MS })) })),
    );
    const missing = answers.filter((answer) => !answer.allowed).map(({ right }) => formatRight(right));
    if (missing.length > 0) throw new Error(`missing: ${missing.join('; ')} (manifests/base/rbac-*.yaml)`);
    return `${rights.length} of ${rights.length}`;
  } finally {
    cluster.close();
  }
}

function formatRight({ verb, resource, group, namespace, name }: Right): string {
  return `${verb} ${resource}${group ? `.${group}` : ''}${name ? ` "${name}"` : ''}${namespace ? ` in ${namespace}` : ''}`;
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
    return `${found.length} source(s) of flows`;
  } finally {
    flows.close();
    cluster.close();
  }
}

function prometheusCheck(name: string, access: NonNullable<ClusterConfig['prometheus']>): Check {
  return {
    name: `${name}: Prometheus`,
    look: async (signal) => {
      await connectPrometheus({ ...access, deadlineMs: CALL_MS }).instant('vector(1)', { signal });
      return access.url;
    },
  };
}
