import { isClusterWide, type Target } from '../target.ts';

/** A time in which no new operation begins and no next stage is written. It never stops an undo. */
export interface Freeze {
  /** `*`, `cluster`, `cluster/namespace` or `cluster/namespace/name`. */
  readonly scope: string;
  readonly reason: string;
  readonly by: { readonly id: string; readonly name: string };
  /** Epoch ms. */
  readonly setAt: number;
  readonly until: number;
}

/** Whose freezes stand in meshops.yaml: nobody lifts them by a command. */
export const CONFIGURED = { id: 'meshops.yaml', name: 'meshops.yaml' } as const;

export function isConfigured({ by }: Freeze): boolean {
  return by.id === CONFIGURED.id;
}

/** Does a freeze of this scope stop a change of the target? What changes a whole cluster is stopped by a freeze of any part of it. */
export function covers(scope: string, target: Target): boolean {
  const { cluster, namespace, name } = target;
  if (isClusterWide(target) && scope.startsWith(`${cluster}/`)) return true;
  return ['*', cluster, `${cluster}/${namespace}`, `${cluster}/${namespace}/${name}`].includes(scope);
}

/** Is the scope one that a freeze may have? Kubernetes labels, at most three, or `*`. */
export function isScope(text: string): boolean {
  return (
    text === '*' || (text.split('/').length <= 3 && text.split('/').every((part) => /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(part)))
  );
}
