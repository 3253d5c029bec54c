import { execFileSync } from 'node:child_process';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Cluster, connectCluster, type Right } from '../../activities/clients/kubernetes/cluster.ts';
import { type Stack, startStack } from '../../playground/cluster/stack.ts';
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
async function applied(manifest: Manifest, dryRun = false): Promise<string> {
  const { apiVersion, kind, metadata } = manifest;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  const where = metadata.namespace ? `/namespaces/${metadata.namespace}` : '';
  const query = `fieldManager=manifests&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
  const answer = await stack.kube.api({
    method: 'PATCH',
    path: `${root}${where}/${plural.toLowerCase()}/${metadata.name}?${query}`,
    body: JSON.stringify(manifest),
    contentType: 'application/apply-patch+yaml',
    signal,
  });
  return answer.status < 300 ? 'ok' : answer.body;
}

const OPERATOR = { user: 'operator@example.com', groups: ['mesh-operators'] };
const REVIEWER = { user: 'reviewer@example.com', groups: ['mesh-reviewers'] };
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
    expect(await may({ verb: 'patch', group: '', resource: 'configmaps', namespace: 'kube-system', name: 'cilium-config' })).toBe(false);
    expect(await may({ verb: 'get', group: '', resource: 'secrets', namespace: 'meshops' })).toBe(false);
    expect(await may({ verb: 'delete', ...ROUTE })).toBe(false);
  });

  it('lets it act as the named people with the named groups, who have their own rights', async () => {
    expect(await may({ ...ROUTE, verb: 'patch' }, OPERATOR)).toBe(true);
    expect(await may({ ...ROUTE, verb: 'patch' }, REVIEWER)).toBe(false);
    await expect(may({ ...ROUTE, verb: 'patch' }, { user: 'guest@example.com', groups: ['mesh-operators'] })).rejects.toThrow(
      /forbidden|cannot impersonate/i,
    );
    await expect(may({ ...ROUTE, verb: 'patch' }, { ...OPERATOR, groups: ['system:masters'] })).rejects.toThrow(
      /forbidden|cannot impersonate/i,
    );
  });
});

describe('manifests/monitoring', () => {
  it('has alert rules that Prometheus reads', () => {
    const said = execFileSync(stack.binaries.promtool, ['check', 'rules', pathOf('manifests/monitoring/alerts.yaml')], {
      encoding: 'utf8',
    });
    expect(said).toContain('SUCCESS: 6 rules found');
  });

  // Not prometheus.yaml: Debian's Prometheus is built without Kubernetes service discovery and does not know its settings.
  it('has a configuration for compose that Prometheus reads', () => {
    const file = pathOf('manifests/monitoring/compose.yaml');
    expect(execFileSync(stack.binaries.promtool, ['check', 'config', '--syntax-only', file], { encoding: 'utf8' })).toContain('SUCCESS');
  });
});
