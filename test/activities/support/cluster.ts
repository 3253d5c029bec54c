import { KubeConfig } from '@kubernetes/client-node';
import { findBinaries } from '../../../playground/cluster/binaries.ts';
import { startKube } from '../../../playground/cluster/kube.ts';
import { loadCrds } from '../../../playground/cluster/load.ts';
import { openPorts } from '../../../playground/cluster/ports.ts';
import { makeRunDir } from '../../../playground/cluster/rundir.ts';
import type { KubeUser } from '../../../playground/cluster/users.ts';
import { openWarden } from '../../../playground/cluster/warden.ts';
import { type Cluster, connectCluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Json } from '../../../src/domain/json.ts';

/** A real etcd and kube-apiserver with the CRDs, and the rights that the product needs. */
export interface TestCluster {
  connect(user: KubeUser): Cluster;
  /** Path of the user's kubeconfig, for another process. */
  kubeconfig(user: KubeUser): string;
  /** Raw request as admin: arranging and breaking things. Throws when the API refuses. */
  admin(method: string, path: string, body?: unknown, contentType?: string): Promise<Json>;
  stop(): Promise<void>;
}

export async function startTestCluster(signal: AbortSignal): Promise<TestCluster> {
  const progress = (): void => {};
  const search = { env: process.env, os: process.platform, arch: process.arch, signal, progress };
  const binaries = await findBinaries(search);
  const dir = makeRunDir(process.env);
  const warden = await openWarden({ dir, env: process.env, signal });
  const kube = await startKube({ dir, binaries, warden, ports: openPorts(Math.random), signal });
  await loadCrds(kube.api, [binaries.ciliumCrds, binaries.gatewayCrds], signal);
  const admin: TestCluster['admin'] = async (method, path, body, contentType = 'application/json') => {
    const { request } = await import('node:https');
    const { readFileSync } = await import('node:fs');
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    const headers = { authorization: `Bearer ${kube.token('admin')}`, 'content-type': contentType };
    const call = request(new URL(path, kube.url), { method, headers, ca: readFileSync(kube.caFile) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(text) as Json);
        else reject(new Error(`${method} ${path}: ${text}`));
      });
    });
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  };
  const open: Cluster[] = [];
  return {
    admin,
    kubeconfig: (user) => kube.kubeconfig(user),
    connect: (user) => {
      const config = new KubeConfig();
      config.loadFromFile(kube.kubeconfig(user));
      const cluster = connectCluster(config);
      open.push(cluster);
      return cluster;
    },
    stop: async () => {
      for (const cluster of open) cluster.close();
      await warden.stop();
    },
  };
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** What the bot and the operators may do in the demo: the bot undoes and impersonates, only operators write forward. */
export async function grantRights(cluster: TestCluster): Promise<void> {
  const role = (name: string, rules: unknown) =>
    cluster.admin('POST', `${RBAC}/clusterroles`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules,
    });
  const bind = (name: string, subject: object) =>
    cluster.admin('POST', `${RBAC}/clusterrolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [subject],
    });
  const user = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:serviceaccount:meshops:meshops' };
  const everything = ['get', 'list', 'watch'];
  await role('meshops', [
    { apiGroups: ['gateway.networking.k8s.io'], resources: ['httproutes', 'grpcroutes'], verbs: [...everything, 'patch'] },
    {
      apiGroups: ['', 'discovery.k8s.io', 'cilium.io'],
      resources: ['services', 'configmaps', 'endpointslices', 'ciliumnodes'],
      verbs: everything,
    },
    { apiGroups: [''], resources: ['users'], verbs: ['impersonate'] },
    { apiGroups: [''], resources: ['groups'], verbs: ['impersonate'], resourceNames: ['mesh-operators', 'mesh-reviewers', 'mesh-guests'] },
  ]);
  await bind('meshops', user);
  await role('mesh-operators', [
    { apiGroups: ['gateway.networking.k8s.io'], resources: ['httproutes', 'grpcroutes'], verbs: ['get', 'patch'] },
  ]);
  await bind('mesh-operators', { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'mesh-operators' });
}
