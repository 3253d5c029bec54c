import { execFileSync } from 'node:child_process';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Stack, startStack } from '../../playground/cluster/stack.ts';
import { loadRights } from '../../playground/rig/rights.ts';
import { type Cluster, connectCluster, type Right } from '../../src/clients/kubernetes/cluster.ts';
import { applyTo } from './apply.ts';
import { type Manifest, manifestsOf, pathOf } from './files.ts';

const stop = new AbortController();
const { signal } = stop;
const base = manifestsOf('manifests/base');
let stack: Stack;
let bot: Cluster;

beforeAll(async () => {
  stack = await startStack({ signal, progress: () => undefined });
  expect(await applied({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'backend' } })).toBe('ok');
  const config = new KubeConfig();
  config.loadFromFile(stack.kube.kubeconfig('meshops'));
  bot = connectCluster(config);
});

afterAll(async () => {
  bot?.close();
  await stack?.stop();
  stop.abort();
});

/** `ok`, or the API server's reason. Unknown fields are refused. */
const applied = (manifest: Manifest, dryRun = false): Promise<string> => applyTo(stack.kube.api, manifest, { signal, dryRun });

const OPERATOR = { user: 'meshops:operator@example.com', groups: ['meshops:operators'] };
const REVIEWER = { user: 'meshops:reviewer@example.com', groups: ['meshops:reviewers'] };
/** The same person under the name that they log in with. */
const REAL = { user: 'operator@example.com', groups: ['mesh-operators'] };
const ROUTE = { group: 'gateway.networking.k8s.io', resource: 'httproutes', namespace: 'backend' };

async function may(right: Right, as?: typeof OPERATOR): Promise<boolean> {
  return (await bot.mayI(right, { signal, as })).allowed;
}

describe('manifests/base on a real API server', () => {
  // In order: what follows needs the namespace and the rights of the first test.
  it('is accepted whole, every field known', async () => {
    for (const manifest of base) expect([manifest.metadata.name, await applied(manifest)]).toEqual([manifest.metadata.name, 'ok']);
    const wrong = { ...base[0], apiVersion: 'v1', kind: 'Service', metadata: { name: 'x', namespace: 'meshops' }, spec: { porst: [] } };
    expect(await applied(wrong, true)).toContain('porst');
  });

  it("makes pods that the namespace's restricted level admits", async () => {
    const deployments = base.filter((one) => one.kind === 'Deployment');
    for (const deployment of deployments) {
      const { template } = z.object({ template: z.looseObject({ spec: z.looseObject({}) }) }).parse(deployment['spec']);
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'trial', namespace: 'meshops' }, spec: template.spec };
      expect(await applied(pod, true)).toBe('ok');
      const root = { ...pod, spec: { ...template.spec, securityContext: { runAsUser: 0 } } };
      expect(await applied(root, true)).toContain('violates PodSecurity');
    }
  });

  it('lets the bot read, undo in the named namespace, and nothing beyond', async () => {
    expect(await may({ ...ROUTE, verb: 'patch' })).toBe(true);
    expect(await may({ ...ROUTE, verb: 'patch', namespace: 'kube-system' })).toBe(false);
    for (const verb of ['get', 'list', 'watch']) expect(await may({ verb, group: 'cilium.io', resource: 'ciliumnodes' })).toBe(true);
    expect(await may({ verb: 'get', group: '', resource: 'configmaps', namespace: 'kube-system', name: 'cilium-config' })).toBe(true);
    // The keys of encryption alone, admission says.
    expect(await may({ verb: 'patch', group: '', resource: 'configmaps', namespace: 'kube-system', name: 'cilium-config' })).toBe(true);
    expect(await may({ verb: 'patch', group: '', resource: 'configmaps', namespace: 'kube-system', name: 'coredns' })).toBe(false);
    expect(await may({ verb: 'patch', group: '', resource: 'configmaps', namespace: 'backend', name: 'cilium-config' })).toBe(false);
    expect(await may({ verb: 'delete', group: '', resource: 'pods', namespace: 'backend' })).toBe(false);
    expect(await may({ verb: 'get', group: '', resource: 'secrets', namespace: 'meshops' })).toBe(false);
    expect(await may({ verb: 'delete', ...ROUTE })).toBe(false);
  });

  it('lets it act as the named people with the named groups, who have their own rights', async () => {
    expect(await may({ ...ROUTE, verb: 'patch' }, OPERATOR)).toBe(true);
    expect(await may({ ...ROUTE, verb: 'patch' }, REVIEWER)).toBe(false);
    for (const stranger of [{ ...OPERATOR, user: 'meshops:guest@example.com' }, REAL])
      await expect(may({ ...ROUTE, verb: 'patch' }, stranger)).rejects.toThrow(/forbidden|cannot impersonate/i);
    await expect(may({ ...ROUTE, verb: 'patch' }, { ...OPERATOR, groups: ['system:masters'] })).rejects.toThrow(
      /forbidden|cannot impersonate/i,
    );
  });
});

/** A patch as the worker itself; `ok` or the reason. */
async function patched(
  ref: Parameters<Cluster['patch']>[0],
  patch: Parameters<Cluster['patch']>[1],
  as?: typeof OPERATOR,
  dryRun = false,
): Promise<string> {
  try {
    await bot.patch(ref, patch, { signal, dryRun, ...(as && { as }) });
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The API server takes up a policy some time after it was stored: waits until it refuses this patch for that reason. Nothing is stored. */
async function inForce(ref: Parameters<Cluster['patch']>[0], patch: Parameters<Cluster['patch']>[1], reason: string): Promise<void> {
  await expect.poll(() => patched(ref, patch, undefined, true), { timeout: 20_000, interval: 200 }).toContain(reason);
}

/** An object made by an administrator. */
function madeBy(
  { apiVersion, kind, namespace, name }: Parameters<Cluster['patch']>[0],
  spec: object,
  labels: object = {},
): Promise<string> {
  return applied({ apiVersion, kind, metadata: { name, namespace, labels }, spec });
}

describe('what admission leaves to the worker', () => {
  // The API server takes an admission policy into force a moment after it has stored it; the tests below need all three.
  it("nothing that is not meshops' own, in pods, routes and policies", async () => {
    const note = { op: 'add', path: '/metadata/annotations', value: { other: 'x' } } as const;
    const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'backend', name: 'admission' };
    const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'admission' };
    const policy = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', namespace: 'backend', name: 'admission' };
    expect(await madeBy(pod, { containers: [{ name: 'x', image: 'example.com/x' }], automountServiceAccountToken: false })).toBe('ok');
    expect(await madeBy(route, { parentRefs: [{ name: 'mesh' }] })).toBe('ok');
    expect(await madeBy(policy, { endpointSelector: {}, ingress: [{}] })).toBe('ok');
    // Tried, not stored: what was let through once before would be no change afterwards, and let through for ever.
    for (const ref of [pod, route]) await inForce(ref, [note], 'meshops changes no');
    // Of policies only what is stored is looked at, and each try is a change of its own.
    let tries = 0;
    const again = (): Promise<string> => patched(policy, [{ ...note, value: { other: String(tries++) } }]);
    await expect.poll(again, { timeout: 20_000, interval: 200 }).toContain('meshops changes no');
    for (const ref of [pod, route, policy]) expect(await patched(ref, [note])).toContain('meshops changes no');
  });

  const token = { op: 'add', path: '/metadata/annotations', value: { 'meshops.dev/operation': 'canary-x/1' } } as const;

  it('in a pod its own label and token; no image, no other label', async () => {
    const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'backend', name: 'web' };
    const spec = { containers: [{ name: 'web', image: 'example.com/web:1' }], automountServiceAccountToken: false };
    expect(await madeBy(ref, spec, { app: 'web' })).toBe('ok');
    await inForce(ref, [{ op: 'replace', path: '/metadata/labels/app', value: 'other' }], 'no label of a pod');
    expect(await patched(ref, [{ op: 'replace', path: '/spec/containers/0/image', value: 'example.com/evil' }])).toContain(
      'nothing in the spec of a pod',
    );
    expect(await patched(ref, [{ op: 'replace', path: '/metadata/labels/app', value: 'other' }])).toContain('no label of a pod');
    expect(await patched(ref, [{ op: 'add', path: '/metadata/annotations', value: { other: 'x' } }])).toContain('no annotation of a pod');
    expect(await patched(ref, [{ op: 'add', path: '/metadata/labels/meshops.dev~1cohort', value: 'web' }, token])).toBe('ok');
    expect(
      await patched(ref, [
        { op: 'remove', path: '/metadata/labels/meshops.dev~1cohort' },
        { op: 'remove', path: '/metadata/annotations/meshops.dev~1operation' },
      ]),
    ).toBe('ok');
  });

  it('in a route weights, and rules of its own to backends that it has', async () => {
    const ref = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'web' };
    const backendRefs = [
      { name: 'web', port: 80, weight: 100 },
      { name: 'web-canary', port: 80, weight: 0 },
    ];
    const matches = [{ path: { type: 'PathPrefix', value: '/' } }];
    const other = { matches: [{ path: { type: 'PathPrefix', value: '/other' } }], backendRefs: [{ name: 'other', port: 80, weight: 1 }] };
    const spec = { parentRefs: [{ name: 'mesh' }], hostnames: ['a.example.com'], rules: [{ matches, backendRefs }, other] };
    expect(await madeBy(ref, spec)).toBe('ok');
    await inForce(ref, [{ op: 'replace', path: '/spec/hostnames', value: ['b.example.com'] }], 'no host name');
    const weight = (value: number) => ({ op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value }) as const;
    expect(await patched(ref, [weight(10), token])).toBe('ok');
    const own = {
      name: 'meshops-ab-1',
      matches: [{ ...matches[0], headers: [{ type: 'Exact', name: 'x-canary', value: 'v2' }] }],
      backendRefs: [{ ...backendRefs[1], weight: 1 }],
    };
    expect(await patched(ref, [{ op: 'add', path: '/spec/rules/0', value: own }])).toBe('ok');
    expect(await patched(ref, [{ op: 'remove', path: '/spec/rules/0' }, weight(0)])).toBe('ok');
    expect(await patched(ref, [{ op: 'replace', path: '/spec/rules/0/backendRefs/1/name', value: 'elsewhere' }])).toContain('no backend');
    expect(await patched(ref, [{ op: 'replace', path: '/spec/hostnames', value: ['b.example.com'] }])).toContain('no host name');
    expect(await patched(ref, [{ op: 'replace', path: '/spec/rules/0/matches/0/path/value', value: '/x' }])).toContain(
      'nothing in a rule but its weights',
    );
    expect(await patched(ref, [{ op: 'remove', path: '/spec/rules/1' }])).toContain('no rule of others');
    const note = { op: 'add', path: '/metadata/annotations/external-dns.alpha.kubernetes.io~1target', value: 'evil.example.com' } as const;
    expect(await patched(ref, [note])).toContain('no annotation of a route');
  });

  it('in the largest route that there can be, too: what it costs to compare stays within the limit of the API server', async () => {
    const ref = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'large' };
    const backendRefs = Array.from({ length: 16 }, (_, index) => ({ name: `web-${index}`, port: 80, weight: 1 }));
    const rules = Array.from({ length: 16 }, (_, rule) => ({
      matches: Array.from({ length: 8 }, (_unused, index) => ({
        path: { type: 'PathPrefix', value: `/${rule}/${index}` },
        headers: [{ type: 'Exact', name: 'x-large', value: 'x'.repeat(200) }],
      })),
      filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-rule', value: String(rule) }] } }],
      backendRefs,
    }));
    expect(await madeBy(ref, { parentRefs: [{ name: 'mesh' }], rules })).toBe('ok');
    const weights = rules.map((_, rule) => ({ op: 'replace', path: `/spec/rules/${rule}/backendRefs/15/weight`, value: 9 }) as const);
    expect(await patched(ref, [...weights, token])).toBe('ok');
    expect(await patched(ref, weights, OPERATOR)).toBe('ok');
    expect(await patched(ref, [{ op: 'replace', path: '/spec/rules/15/backendRefs/15/name', value: 'evil' }])).toContain('no backend');
  });

  it('policies that an operation holds', async () => {
    const ref = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', namespace: 'backend', name: 'web' };
    const spec = { endpointSelector: { matchLabels: { app: 'web' } }, ingress: [{}] };
    expect(await madeBy(ref, spec)).toBe('ok');
    const open = { op: 'replace', path: '/spec/ingress', value: [{ fromEntities: ['all'] }] } as const;
    // Not as a dry run: what meshops tries is allowed. Each try differs from what an earlier one may have stored.
    let port = 1_000;
    const another = () => [{ op: 'replace', path: '/spec/ingress', value: [{ toPorts: [{ ports: [{ port: `${port++}` }] }] }] } as const];
    await expect.poll(() => patched(ref, another()), { timeout: 20_000, interval: 200 }).toContain('no policy that no operation holds');
    expect(await patched(ref, [open])).toContain('no policy that no operation holds');
    expect(await patched(ref, [open], OPERATOR)).toContain('no policy that no operation holds');
    expect(await patched(ref, [open, token], OPERATOR)).toBe('ok');
    expect(await patched(ref, [{ op: 'replace', path: '/spec/ingress', value: [{}] }])).toBe('ok');
  });

  it('what it tries without storing it: policies that are to be made, or removed by a later stage', async () => {
    const ref = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', namespace: 'backend', name: 'tried' };
    const { apiVersion, kind, namespace, name } = ref;
    const spec = { endpointSelector: { matchLabels: { app: 'web' } }, ingress: [{}] };
    const tried = { apiVersion, kind, metadata: { name, namespace }, spec };
    await bot.create(tried, ref, { signal, as: OPERATOR, dryRun: true });
    await expect(bot.create(tried, ref, { signal, as: OPERATOR })).rejects.toThrow('without the token');
    expect(await madeBy(ref, spec)).toBe('ok');
    const live = await bot.read(ref, { signal });
    const version = { uid: live?.metadata.uid ?? '', resourceVersion: live?.metadata.resourceVersion ?? '' };
    await bot.remove(ref, version, { signal, as: OPERATOR, dryRun: true });
    await expect(bot.remove(ref, version, { signal, as: OPERATOR })).rejects.toThrow('no policy that no operation holds');
  });

  it('as a person as well, in whose name it acts: no image, no other label', async () => {
    const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'backend', name: 'web' };
    expect(await patched(ref, [{ op: 'replace', path: '/spec/containers/0/image', value: 'example.com/evil' }], OPERATOR)).toContain(
      'nothing in the spec of a pod',
    );
    expect(await patched(ref, [{ op: 'add', path: '/metadata/labels/meshops.dev~1cohort', value: 'web' }], OPERATOR)).toBe('ok');
  });

  it('nothing is taken from people themselves', async () => {
    const answer = await stack.kube.api({
      method: 'PATCH',
      path: '/api/v1/namespaces/backend/pods/web',
      body: JSON.stringify([{ op: 'replace', path: '/spec/containers/0/image', value: 'example.com/web:2' }]),
      contentType: 'application/json-patch+json',
      signal,
    });
    expect(answer.status).toBe(200);
  });
});

describe("manifests/real-names: people's own names, lent for meshops' kinds of requests alone", () => {
  it('patches a route as the person, and does nothing else that the person may do', async () => {
    const namespaced = manifestsOf('manifests/real-names');
    for (const manifest of namespaced) expect([manifest.metadata.name, await applied(manifest)]).toEqual([manifest.metadata.name, 'ok']);
    const subjects = [{ kind: 'User', name: REAL.user, apiGroup: 'rbac.authorization.k8s.io' }];
    const admin = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'person', namespace: 'backend' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects,
    };
    expect(await applied(admin)).toBe('ok');
    await expect.poll(() => may({ ...ROUTE, verb: 'patch' }, REAL).catch(String), { timeout: 5_000 }).toBe(true);
    const ref = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'web' };
    expect(await patched(ref, [{ op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 5 }], REAL)).toBe('ok');
    // The person may; the worker in their name may not.
    expect(await may({ verb: 'get', group: '', resource: 'secrets', namespace: 'backend' }, REAL)).toBe(true);
    const secret = { apiVersion: 'v1', kind: 'Secret', namespace: 'backend', name: 'any' };
    await expect(bot.read(secret, { signal, as: REAL })).rejects.toThrow(/forbidden|cannot impersonate/i);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'evil', namespace: 'backend' }, spec: { containers: [] } };
    await expect(bot.create(pod, { ...ref, apiVersion: 'v1', kind: 'Pod', name: 'evil' }, { signal, as: REAL })).rejects.toThrow(
      /forbidden|cannot impersonate/i,
    );
  });
});

describe("the playground's rights", () => {
  it('are those of the manifests, admission included: its stories run under it', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
    const names = async (): Promise<readonly string[]> => {
      const { body } = await stack.kube.api({ method: 'GET', path, signal });
      const { items } = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) }).parse(JSON.parse(body));
      return items.map(({ metadata }) => metadata.name).toSorted();
    };
    for (const name of await names()) await stack.kube.api({ method: 'DELETE', path: `${path}/${name}`, signal });
    expect(await names()).toEqual([]);
    await loadRights(stack.kube.api, signal);
    expect(await names()).toEqual(['meshops-cilium-config', 'meshops-node-configs', 'meshops-pods', 'meshops-policies', 'meshops-routes']);
  });
});

describe('manifests/monitoring', () => {
  it('has alert rules that Prometheus reads', () => {
    const said = execFileSync(stack.binaries.promtool, ['check', 'rules', pathOf('manifests/monitoring/alerts.yaml')], {
      encoding: 'utf8',
    });
    expect(said).toContain('SUCCESS: 8 rules found');
  });

  // Not prometheus.yaml: Debian's Prometheus is built without Kubernetes service discovery and does not know its settings.
  it('has a configuration for compose that Prometheus reads', () => {
    const file = pathOf('manifests/monitoring/compose.yaml');
    expect(execFileSync(stack.binaries.promtool, ['check', 'config', '--syntax-only', file], { encoding: 'utf8' })).toContain('SUCCESS');
  });
});
