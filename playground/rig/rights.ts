import { readdir, readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { Api } from '../cluster/api.ts';

/**
 * The rights that a real installation gives to the bot and to operators, and what admission leaves of them, as the manifests have them: nobody
 * has more here, so a right that is missing there is missed here.
 */
const BASE = '../../manifests/base/';
const DEMO = '../../manifests/demo/';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** Copied for each namespace that may be changed, as its first lines say. */
const PER_NAMESPACE = 'mesh-namespace.yaml';
const MESH_NAMESPACES = ['backend', 'frontend', 'database', 'external'] as const;

interface Manifest {
  readonly kind?: string;
  readonly metadata?: { readonly name: string; readonly namespace?: string };
}

function pathOf(kind: string, namespace: string, name: string): string | undefined {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  switch (kind) {
    case 'Namespace':
      return `/api/v1/namespaces/${name}`;
    case 'ServiceAccount':
      return `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
    case 'ClusterRole':
      return `${rbac}/clusterroles/${name}`;
    case 'ClusterRoleBinding':
      return `${rbac}/clusterrolebindings/${name}`;
    case 'Role':
      return `${rbac}/namespaces/${namespace}/roles/${name}`;
    case 'RoleBinding':
      return `${rbac}/namespaces/${namespace}/rolebindings/${name}`;
    case 'ValidatingAdmissionPolicy':
      return `${ADMISSION}/validatingadmissionpolicies/${name}`;
    case 'ValidatingAdmissionPolicyBinding':
      return `${ADMISSION}/validatingadmissionpolicybindings/${name}`;
    default:
      return undefined;
  }
}

/**
 * Applies namespaces, service accounts, RBAC and admission policies of the manifests, namespaces first; without `base` those of the demo alone.
 * Rejects with the API server's answer.
 */
export async function loadRights(api: Api, signal: AbortSignal, base = true): Promise<void> {
  const manifests: Manifest[] = [];
  for (const folder of base ? [BASE, DEMO] : [DEMO]) {
    const url = new URL(folder, import.meta.url);
    for (const file of (await readdir(url)).filter((name) => name.endsWith('.yaml'))) {
      const text = await readFile(new URL(file, url), 'utf8');
      const texts =
        file === PER_NAMESPACE ? MESH_NAMESPACES.map((name) => text.replaceAll('namespace: backend', `namespace: ${name}`)) : [text];
      for (const one of texts) manifests.push(...parseAllDocuments(one).map((document) => document.toJS() as Manifest));
    }
  }
  for (const manifest of manifests.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'))) {
    const { kind = '', metadata } = manifest;
    const path = metadata && pathOf(kind, metadata.namespace ?? 'meshops', metadata.name);
    if (!path) continue;
    const body = JSON.stringify(manifest);
    const answer = await api({
      method: 'PATCH',
      path: `${path}?fieldManager=playground&force=true`,
      body,
      contentType: 'application/apply-patch+yaml',
      signal,
    });
    if (answer.status >= 300)
      throw new Error(`The API server refused ${kind} ${metadata.name} (${answer.status}): ${answer.body.slice(0, 500)}`);
  }
}
