/** The tools that apply what Git has, and write it back when somebody else changes it. */
export type GitOpsTool = 'Argo CD' | 'Flux';

/** Their field managers: common.ArgoCDSSAManager of Argo CD, the names of Flux's two controllers. */
const FIELD_MANAGERS = [
  [/^argocd-(application-)?controller$/, 'Argo CD'],
  [/^(kustomize|helm)-controller$/, 'Flux'],
] as const;

/** The tool behind a field manager of metadata.managedFields, or undefined. */
export function toolOf(manager: string | undefined): GitOpsTool | undefined {
  return manager === undefined ? undefined : FIELD_MANAGERS.find(([name]) => name.test(manager))?.[1];
}

/** The tool that has written all of these differences back, or undefined: then at least one is somebody else's. */
export function healerOf(differences: readonly { readonly manager?: string; readonly field: string }[]): GitOpsTool | undefined {
  const [tool, ...others] = new Set(differences.map(({ manager }) => toolOf(manager)));
  return others.length === 0 ? tool : undefined;
}

interface Drift {
  readonly object: string;
  readonly field: string;
  readonly manager: string;
  readonly found: string;
}

/** What a watch says when somebody else has changed a field: a person's change and a tool that writes Git's values back are not the same. */
export function driftWords({ object, field, manager, found }: Drift): string {
  const tool = toolOf(manager);
  return tool === undefined
    ? `${manager || 'Somebody else'} changed ${field} of ${object} to ${found} while this was watched.`
    : `${tool} (${manager}) wrote ${field} of ${object} back to ${found}, as Git has it, while this was watched.`;
}
