import { type GitOpsTool, toolOf } from './tool.ts';

/** The object of a GitOps tool that applies an object of the cluster, as far as the marks say. */
export interface GitOpsSource {
  readonly tool: GitOpsTool;
  readonly kind: 'Application' | 'Kustomization' | 'HelmRelease';
  readonly name?: string;
  readonly namespace?: string;
}

/** What is read of an object's metadata. */
export interface Marks {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly managedFields?: readonly { readonly manager?: string | undefined }[] | undefined;
}

const TRACKING_ID = 'argocd.argoproj.io/tracking-id';
const INSTANCE = 'argocd.argoproj.io/instance';
/** Argo CD's label of before; Helm sets it as well, so alone it is no mark. */
const SHARED_INSTANCE = 'app.kubernetes.io/instance';
const FLUX = [
  ['kustomize.toolkit.fluxcd.io', 'Kustomization', 'kustomize-controller'],
  ['helm.toolkit.fluxcd.io', 'HelmRelease', 'helm-controller'],
] as const;

/** Who applies this object from Git, by its marks; undefined where nothing says so. */
export function gitOpsSource({ labels = {}, annotations = {}, managedFields = [] }: Marks): GitOpsSource | undefined {
  const managers = managedFields.map(({ manager = '' }) => manager);
  for (const [prefix, kind, manager] of FLUX) {
    const name = labels[`${prefix}/name`];
    const namespace = labels[`${prefix}/namespace`];
    if (name === undefined && !managers.includes(manager)) continue;
    return { tool: 'Flux', kind, ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) };
  }
  const byArgo = managers.some((manager) => toolOf(manager) === 'Argo CD');
  // `<application>:<group>/<kind>:<namespace>/<name>`; an application outside of Argo CD's own namespace is `<namespace>_<application>`.
  const tracked = annotations[TRACKING_ID]?.split(':')[0];
  const named = tracked ?? labels[INSTANCE] ?? annotations[INSTANCE] ?? (byArgo ? labels[SHARED_INSTANCE] : undefined);
  if (named === undefined && !byArgo) return undefined;
  const split = named?.indexOf('_') ?? -1;
  const [namespace, name] = split < 0 ? [undefined, named] : [named?.slice(0, split), named?.slice(split + 1)];
  return { tool: 'Argo CD', kind: 'Application', ...(name && { name }), ...(namespace && { namespace }) };
}

/** `Argo CD application shop`, `Flux Kustomization flux-system/shop`, or the tool alone. */
export function sourceName({ tool, kind, name, namespace }: GitOpsSource): string {
  if (name === undefined) return tool;
  return `${tool} ${kind === 'Application' ? 'application' : kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}
