import * as z from 'zod';
import type { Target } from '../target.ts';
import { Duration, FilePath, HttpUrl, Label } from './values.ts';

const trimSlashes = (text: string): string => text.replace(/^\/+|\/+$/g, '');

/** Where the manifests of a namespace are kept, and how what an operation has left gets there. */
export const HandoverRule = z
  .strictObject({
    /** Left out: all. */
    clusters: z.array(Label).optional(),
    namespaces: z.array(Label).optional(),
    repository: HttpUrl,
    branch: z
      .string()
      .regex(/^[\w./-]+$/, 'This is not the name of a branch.')
      .default('main'),
    /** `{cluster}` and `{namespace}` stand for those of the operation. */
    folder: z.string().transform(trimSlashes).default(''),
    /** `file`: a patch in the operation's thread. */
    as: z.enum(['file', 'pull-request'], 'Write file or pull-request.').default('file'),
    provider: z.enum(['github', 'gitlab'], 'Write github or gitlab.').optional(),
    /** Root of the provider's API, where it is not where the repository is. */
    apiUrl: HttpUrl.optional(),
    /** Holds a token and nothing else; read anew each time. */
    tokenFile: FilePath.optional(),
    /** What Git is told beside the token; GitHub and GitLab take any. */
    user: z.string().min(1).default('oauth2'),
    caFile: FilePath.optional(),
    /** How often Git is asked whether it agrees. */
    check: Duration.default(60_000),
  })
  .refine(({ as, tokenFile }) => as === 'file' || tokenFile !== undefined, 'A pull request needs `tokenFile`.')
  .refine(
    (rule) => rule.as === 'file' || providerOf(rule) !== undefined,
    'Say `provider: github` or `gitlab`: the address of the repository does not.',
  );

export type HandoverRule = z.output<typeof HandoverRule>;

/** Whose pull requests they are, by the repository's host where nothing is said. */
export function providerOf({
  provider,
  repository,
}: {
  readonly provider?: 'github' | 'gitlab' | undefined;
  readonly repository: string;
}): 'github' | 'gitlab' | undefined {
  const host = /^https?:\/\/([^/:]+)/.exec(repository)?.[1] ?? '';
  return provider ?? (['github', 'gitlab'] as const).find((name) => host.includes(name));
}

/** The first rule for this target, with its folder; undefined: nothing is handed over. */
export function handoverFor(rules: readonly HandoverRule[], { cluster, namespace }: Target): HandoverRule | undefined {
  const isIn = (list: readonly string[] | undefined, name: string): boolean => list === undefined || list.includes(name);
  const rule = rules.find(({ clusters, namespaces }) => isIn(clusters, cluster) && isIn(namespaces, namespace));
  return rule && { ...rule, folder: rule.folder.replaceAll('{cluster}', cluster).replaceAll('{namespace}', namespace) };
}
