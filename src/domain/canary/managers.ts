import { type Impossible, impossible } from './planned.ts';
import { type HttpRoute, routeName } from './route.ts';

/** Annotation on a route with a controlling owner: its value, `<kind>/<name>` of that owner, says that the owner leaves weights alone. */
export const OWNER_ANNOTATION = 'meshops.dev/allow-owner';

/**
 * Who writes this route itself and would undo any change, or undefined. Kubernetes marks the one owner that manages an object with
 * `controller: true` (metav1.OwnerReference); Flagger and Argo Rollouts own routes without the mark.
 */
function otherManager({ metadata }: HttpRoute): string | undefined {
  const { ownerReferences = [], annotations = {} } = metadata;
  const owner = ownerReferences.find(
    ({ apiVersion, kind, name, controller }) =>
      apiVersion.startsWith('flagger.app/') ||
      apiVersion.startsWith('argoproj.io/') ||
      (controller === true && annotations[OWNER_ANNOTATION] !== `${kind}/${name}`),
  );
  return owner && `${owner.kind} ${owner.name} (${owner.apiVersion})`;
}

/** `InferenceService/iris`, where the annotation would make a change of this route possible; undefined for Flagger and Argo Rollouts. */
function allowableOwner({ metadata }: HttpRoute): string | undefined {
  const owner = (metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
  const isRollout = owner?.apiVersion.startsWith('flagger.app/') || owner?.apiVersion.startsWith('argoproj.io/');
  return owner && !isRollout ? `${owner.kind}/${owner.name}` : undefined;
}

/** The refusal where one of the routes is written by somebody else. */
export function ownedRoute(routes: readonly HttpRoute[]): Impossible | undefined {
  for (const route of routes) {
    const manager = otherManager(route);
    const allow = allowableOwner(route);
    if (manager === undefined) continue;
    return impossible({ code: 'OtherManager', parameters: { route: routeName(route), manager, ...(allow !== undefined && { allow }) } });
  }
  return undefined;
}

/** One sentence for each route that a GitOps tool applies: a warning in the plan. */
export function gitOpsWords(routes: readonly HttpRoute[]): readonly string[] {
  return routes.flatMap((route) => {
    const tool = gitOpsTool(route);
    if (!tool) return [];
    return [
      `${tool} applies ${routeName(route)} and may write its own weights back at its next sync: commit the same weights there, or let it ignore them.`,
    ];
  });
}

/** Labels and annotations by which GitOps tools find what they apply. `app.kubernetes.io/instance` is no mark: Helm sets it as well. */
const GITOPS = [
  [/^argocd\.argoproj\.io\/(tracking-id|instance)$/, 'Argo CD'],
  [/^(kustomize|helm)\.toolkit\.fluxcd\.io\/name$/, 'Flux'],
] as const;

/** The same, as field managers: an Argo CD that tracks by label leaves no other mark. */
const FIELD_MANAGERS = [
  [/^argocd-(application-)?controller$/, 'Argo CD'],
  [/^(kustomize|helm)-controller$/, 'Flux'],
] as const;

/** The GitOps tool that applies this route and may write its own weights back at the next sync, or undefined. */
function gitOpsTool({ metadata }: HttpRoute): 'Argo CD' | 'Flux' | undefined {
  const managers = (metadata.managedFields ?? []).map(({ manager = '' }) => manager);
  const byField = FIELD_MANAGERS.find(([name]) => managers.some((manager) => name.test(manager)))?.[1];
  if (byField) return byField;
  const marks = [...Object.keys(metadata.annotations ?? {}), ...Object.keys(metadata.labels ?? {})];
  return GITOPS.find(([mark]) => marks.some((key) => mark.test(key)))?.[1];
}
