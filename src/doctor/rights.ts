import { type Cluster, ciliumConfigOf, connectCluster, type Right } from '../clients/kubernetes/cluster.ts';
import { createRest } from '../clients/kubernetes/rest.ts';
import { type ClusterConfig, kubeConfigOf } from '../connect/kubernetes.ts';
import type { Config } from '../domain/config/schema.ts';
import { kubernetesIdentity } from '../domain/config/use.ts';
import { type Check, Missing, type ProcessName, type Remark } from './checks.ts';

const CALL_MS = 5_000;
const GATEWAY = 'gateway.networking.k8s.io';
const READ = 'Apply rbac-read.yaml (chart: rbac.create).';
const PER_NAMESPACE = 'Apply mesh-namespace.yaml for the namespace (chart: `namespaces`).';
/** Names that nobody logs in with: they have the rights that are bound to them for meshops, and admission knows them (admission.yaml). */
const OWN_NAMES = 'meshops:';

/** Who this process is to the cluster, what it may do there, and whom it may act as. */
export function rightsChecks(name: string, cluster: ClusterConfig, config: Config, process: ProcessName): readonly Check[] {
  const within = <T>(work: (connected: Cluster) => Promise<T>): Promise<T> => connectedTo(cluster, work);
  const namespaces = namespacesOf(name, config);
  const reads = readRights(cluster, process);
  const checks: Check[] = [
    {
      name: `${name}: identity of this process`,
      todo: 'Give the process a ServiceAccount (service-accounts.yaml), or a kubeconfig whose user the cluster knows.',
      look: (signal) => checkIdentity(cluster, signal),
    },
    { name: `${name}: rights to read`, todo: READ, look: (signal) => within((on) => checkRights(on, reads, signal, READ)) },
  ];
  if (process === 'bot') return checks;
  return [
    ...checks,
    {
      name: `${name}: rights to undo`,
      todo: PER_NAMESPACE,
      look: (signal) => within((on) => checkRights(on, namespaces.flatMap(undoRights), signal, PER_NAMESPACE)),
    },
    {
      name: `${name}: impersonation`,
      todo: 'Name them in rbac-impersonate.yaml (chart: config.identities, rbac.people).',
      look: (signal) => within((on) => checkImpersonation(on, config, signal)),
    },
    {
      name: `${name}: rights of people`,
      todo: 'Bind the Role of mesh-namespace.yaml to their groups (chart: namespaces.<name>.operators).',
      look: (signal) => within((on) => checkPeople(on, config, namespaces, signal)),
    },
  ];
}

async function connectedTo<T>(config: ClusterConfig, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = connectCluster(kubeConfigOf(config), config);
  try {
    return await work(cluster);
  } finally {
    cluster.close();
  }
}

/** Namespaces that a channel of this cluster speaks of. */
function namespacesOf(cluster: string, config: Config): readonly string[] {
  const spoken = config.channels.filter((one) => (one.cluster ?? cluster) === cluster).flatMap((one) => one.namespace ?? []);
  return [...new Set(spoken)];
}

function readRights(cluster: ClusterConfig, process: ProcessName): readonly Right[] {
  const { namespace, name } = ciliumConfigOf(cluster);
  const of = (verbs: readonly string[], group: string, ...resources: readonly string[]): readonly Right[] =>
    resources.flatMap((resource) => verbs.map((verb) => ({ verb, group, resource })));
  return [
    ...of(['list', 'watch'], GATEWAY, 'httproutes', 'grpcroutes', 'gateways'),
    ...of(['list', 'watch'], 'discovery.k8s.io', 'endpointslices'),
    ...of(['list'], '', 'services', 'pods', 'namespaces', 'nodes'),
    ...of(['list'], 'cilium.io', 'ciliumnodes', 'ciliumnetworkpolicies', 'ciliumclusterwidenetworkpolicies', 'ciliumendpoints'),
    ...of(['list'], 'cilium.io', 'ciliumnodeconfigs').map((right) => ({ ...right, namespace })),
    { verb: 'get', group: 'apps', resource: 'daemonsets', namespace, name: 'cilium' },
    ...of(['list'], 'networking.k8s.io', 'networkpolicies'),
    { verb: 'get', group: '', resource: 'configmaps', namespace, name },
    ...(process === 'bot' ? [] : of(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews')),
  ];
}

/** What the undo writes, as the worker itself. */
function undoRights(namespace: string): readonly Right[] {
  const policies = { group: 'cilium.io', resource: 'ciliumnetworkpolicies', namespace };
  return [
    { verb: 'patch', group: GATEWAY, resource: 'httproutes', namespace },
    { verb: 'patch', group: GATEWAY, resource: 'grpcroutes', namespace },
    { verb: 'patch', ...policies },
    { verb: 'delete', ...policies },
    { verb: 'patch', group: '', resource: 'pods', namespace },
  ];
}

/** What a person's own change writes: shares, and policies by cohorts. */
const FORWARD: Readonly<Record<'routes' | 'policies', (namespace: string) => readonly Right[]>> = {
  routes: (namespace) => [{ verb: 'patch', group: GATEWAY, resource: 'httproutes', namespace }],
  policies: (namespace) => [
    ...['create', 'patch', 'delete'].map((verb) => ({ verb, group: 'cilium.io', resource: 'ciliumnetworkpolicies', namespace })),
    { verb: 'patch', group: '', resource: 'pods', namespace },
  ],
};

async function checkRights(cluster: Cluster, rights: readonly Right[], signal: AbortSignal, todo: string): Promise<string> {
  const answers = await Promise.all(
    rights.map(async (right) => ({ right, ...(await cluster.mayI(right, { signal, deadlineMs: CALL_MS })) })),
  );
  const missing = answers.filter((answer) => !answer.allowed).map(({ right }) => formatRight(right));
  if (missing.length > 0) throw new Missing(`missing: ${missing.join('; ')}`, todo);
  return `${rights.length} of ${rights.length}`;
}

/** The account, by the cluster's own word; one that may do everything is more than meshops needs. */
async function checkIdentity(config: ClusterConfig, signal: AbortSignal): Promise<string | Remark> {
  const rest = createRest(kubeConfigOf(config));
  try {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const answer = (await rest.call({ method: 'POST', path, body, signal, deadlineMs: CALL_MS })) as {
      readonly status?: { readonly userInfo?: { readonly username?: string } };
    };
    const who = answer.status?.userInfo?.username ?? 'unknown';
    const all = { verb: '*', group: '*', resource: '*' } as const;
    const { allowed } = await connectedTo(config, (cluster) => cluster.mayI(all, { signal, deadlineMs: CALL_MS }));
    if (!allowed) return who;
    const todo = 'Run meshops as an account of its own: service-accounts.yaml and rbac-read.yaml are all that it needs.';
    return { words: `${who}, who may do everything in this cluster`, todo };
  } finally {
    rest.close();
  }
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
async function checkImpersonation(cluster: Cluster, config: Config, signal: AbortSignal): Promise<string | Remark> {
  const may = async (right: Right): Promise<boolean> => (await cluster.mayI(right, { signal, deadlineMs: CALL_MS })).allowed;
  const names = actedAs(config);
  const found = await Promise.all(
    names.map(async (name) => {
      const whole = await may({ ...WHOLE, ...name });
      return { name, whole, allowed: whole || (await may({ ...CONFINED, ...name })) };
    }),
  );
  const missing = found.filter(({ allowed }) => !allowed).map(({ name }) => formatRight({ ...WHOLE, ...name }));
  if (missing.length > 0) throw new Error(`missing: ${missing.join('; ')}`);
  const all = `${names.length} of ${names.length}`;
  const lent = found.filter(({ name, whole }) => whole && !name.name.startsWith(OWN_NAMES)).map(({ name }) => name.name);
  if (lent.length === 0) return all;
  const todo = 'Use names that begin with meshops: and that nobody logs in with, or manifests/real-names (docs/security.md).';
  return { words: `${all}; lends every right of ${lent.join(', ')} in the whole cluster`, todo };
}

/** What people whom the configuration names by address may change, asked in their own name. Who only approves needs no right. */
async function checkPeople(cluster: Cluster, config: Config, namespaces: readonly string[], signal: AbortSignal): Promise<string | Remark> {
  const people = config.identities.rules.map(({ email }) => email).filter((email) => !email.startsWith('*@'));
  if (people.length === 0 || namespaces.length === 0) return 'nobody is named by address, so nobody was asked about';
  const lacking: string[] = [];
  const lines: string[] = [];
  for (const namespace of namespaces) {
    const may: Record<keyof typeof FORWARD, string[]> = { routes: [], policies: [] };
    for (const email of people) {
      const as = kubernetesIdentity(config, email);
      for (const what of ['routes', 'policies'] as const) {
        const asked = FORWARD[what](namespace).map((right) => cluster.mayI(right, { signal, deadlineMs: CALL_MS, as }));
        if (as && (await Promise.all(asked)).every(({ allowed }) => allowed)) may[what].push(email);
      }
    }
    for (const what of ['routes', 'policies'] as const) {
      if (may[what].length === 0) lacking.push(`${what} in ${namespace}`);
      else lines.push(`${what} in ${namespace}: ${may[what].join(', ')}`);
    }
  }
  if (lines.length === 0) throw new Error(`nobody who is named by address may change ${lacking.join(', ')}`);
  const words = lines.join('; ');
  if (lacking.length === 0) return words;
  const todo = `Bind the Role of mesh-namespace.yaml to their groups, if they are to change ${lacking.join(', ')}.`;
  return { words: `${words}; nobody who is named by address may change ${lacking.join(', ')}`, todo };
}

function formatRight({ verb, resource, group, namespace, name }: Right): string {
  return `${verb} ${resource}${group ? `.${group}` : ''}${name ? ` "${name}"` : ''}${namespace ? ` in ${namespace}` : ''}`;
}
