/** Annotation on an object with a controlling owner: its value, `<kind>/<name>` of that owner, says that the owner leaves the change alone. */
const OWNER_ANNOTATION = 'meshops.dev/allow-owner';

interface Owned {
  readonly ownerReferences?:
    | readonly { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly controller?: boolean | undefined }[]
    | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** A controller that writes an object itself and would undo any change. `allow`: what the annotation must hold to change it all the same. */
export interface Owner {
  readonly manager: string;
  readonly allow?: string;
}

/**
 * Who writes this object itself, or undefined. Kubernetes marks the one owner that manages an object with `controller: true`
 * (metav1.OwnerReference); Flagger and Argo Rollouts own routes without the mark, and always write them.
 */
export function controllingOwner({ ownerReferences = [], annotations = {} }: Owned): Owner | undefined {
  const isRollout = (apiVersion: string): boolean => apiVersion.startsWith('flagger.app/') || apiVersion.startsWith('argoproj.io/');
  const named = (kind: string, name: string): boolean => annotations[OWNER_ANNOTATION] === `${kind}/${name}`;
  const owner = ownerReferences.find(
    ({ apiVersion, kind, name, controller }) => isRollout(apiVersion) || (controller === true && !named(kind, name)),
  );
  if (!owner) return undefined;
  const { apiVersion, kind, name } = owner;
  return { manager: `${kind} ${name} (${apiVersion})`, ...(!isRollout(apiVersion) && { allow: `${kind}/${name}` }) };
}
