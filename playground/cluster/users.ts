import { randomBytes } from 'node:crypto';

/** Who may talk to the API server with a token of their own. */
export const KUBE_USERS = {
  admin: { name: 'admin', groups: ['system:masters'] },
  simulator: { name: 'simulator', groups: ['system:masters'] },
  meshops: { name: 'system:serviceaccount:meshops:meshops', groups: ['system:serviceaccounts', 'system:serviceaccounts:meshops'] },
  operator: { name: 'operator@example.com', groups: ['mesh-operators'] },
  reviewer: { name: 'reviewer@example.com', groups: ['mesh-reviewers'] },
  reviewer2: { name: 'reviewer2@example.com', groups: ['mesh-reviewers'] },
} as const;

export type KubeUser = keyof typeof KUBE_USERS;

export const KUBE_USER_NAMES = Object.keys(KUBE_USERS) as readonly KubeUser[];

/** A fresh token for each user; they live as long as the run folder. */
export function makeTokens(): Readonly<Record<KubeUser, string>> {
  const token = (): string => randomBytes(24).toString('base64url');
  return { admin: token(), simulator: token(), meshops: token(), operator: token(), reviewer: token(), reviewer2: token() };
}

/** The API server's `--token-auth-file`: `token,user,uid,"group1,group2"` for each user. */
export function tokenFile(tokens: Readonly<Record<KubeUser, string>>): string {
  return KUBE_USER_NAMES.map((user) => `${tokens[user]},${KUBE_USERS[user].name},${user},"${KUBE_USERS[user].groups.join(',')}"\n`).join(
    '',
  );
}

/** A kubeconfig with one context, `playground`. */
export function kubeconfigText(options: {
  readonly url: string;
  readonly caFile: string;
  readonly user: KubeUser;
  readonly token: string;
}): string {
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'playground', cluster: { server: options.url, 'certificate-authority': options.caFile } }],
      users: [{ name: options.user, user: { token: options.token } }],
      contexts: [{ name: 'playground', context: { cluster: 'playground', user: options.user } }],
      'current-context': 'playground',
    },
    undefined,
    2,
  )}\n`;
}
