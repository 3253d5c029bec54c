import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Api, openApi } from './api.ts';
import type { Binaries } from './binaries.ts';
import { type Component, startComponent } from './component.ts';
import { flags } from './flags.ts';
import type { Ports } from './ports.ts';
import { KUBE_USER_NAMES, type KubeUser, kubeconfigText, makeTokens, tokenFile } from './users.ts';
import type { Warden } from './warden.ts';

/** The cluster's API, without controllers, scheduler and kubelets. */
export type Kube = {
  /** `https://<address>:<port>` */
  readonly url: string;
  readonly caFile: string;
  token(user: KubeUser): string;
  /** Path of a kubeconfig file for that user. */
  kubeconfig(user: KubeUser): string;
  readonly etcd: Component;
  readonly apiserver: Component;
  /** As admin. */
  readonly api: Api;
};

/** What every component is started with. `dir` is the run folder. */
export type Ground = {
  readonly dir: string;
  readonly binaries: Binaries;
  readonly warden: Warden;
  readonly ports: Ports;
  readonly signal: AbortSignal;
};

const READY_WITHIN_MS = 60_000;

async function startEtcd(ground: Ground): Promise<{ readonly component: Component; readonly url: string }> {
  const url = `http://127.0.0.1:${await ground.ports.take('etcd')}`;
  const peer = `http://127.0.0.1:${await ground.ports.take("etcd's peers")}`;
  const component = await startComponent(
    ground.warden,
    {
      name: 'etcd',
      command: ground.binaries.etcd,
      args: [
        '--unsafe-no-fsync',
        ...flags({
          'data-dir': join(ground.dir, 'etcd'),
          'log-level': 'error',
          'listen-client-urls': url,
          'advertise-client-urls': url,
          'listen-peer-urls': peer,
          'initial-advertise-peer-urls': peer,
          'initial-cluster': `default=${peer}`,
        }),
      ],
      logFile: join(ground.dir, 'etcd.log'),
      readyWithinMs: READY_WITHIN_MS,
      ready: async (signal) => {
        const answer = await fetch(`${url}/readyz`, { signal }).catch(() => undefined);
        return answer?.ok === true;
      },
    },
    ground.signal,
  );
  return { component, url };
}

function apiserverArgs(dir: string, address: string, port: number, etcdUrl: string): readonly string[] {
  return flags({
    'etcd-servers': etcdUrl,
    'cert-dir': dir,
    'bind-address': address,
    'secure-port': port,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': join(dir, 'sa.key'),
    'service-account-signing-key-file': join(dir, 'sa.key'),
    'token-auth-file': join(dir, 'tokens.csv'),
    'authorization-mode': 'RBAC',
    'service-cluster-ip-range': '10.96.0.0/16',
    // Pods are written by the simulator, without the controller that would make their service accounts.
    'disable-admission-plugins': 'ServiceAccount',
  });
}

function writeIdentity(dir: string, tokens: Readonly<Record<KubeUser, string>>): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(dir, 'sa.key'), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  writeFileSync(join(dir, 'tokens.csv'), tokenFile(tokens), { mode: 0o600 });
}

/** Starts etcd and kube-apiserver and waits until /readyz says ok. `address` is where the API server listens. */
export async function startKube(ground: Ground, wantedPort?: number, address = '127.0.0.1'): Promise<Kube> {
  const dir = join(ground.dir, 'kube');
  const tokens = makeTokens();
  writeIdentity(dir, tokens);
  const etcd = await startEtcd(ground);
  const port = await ground.ports.take('the Kubernetes API', wantedPort);
  const url = `https://${address}:${port}`;
  // Self-signed at start: the file holds the certificate and the authority that signed it.
  const caFile = join(dir, 'apiserver.crt');
  const api = openApi({ url, token: tokens.admin, ca: () => readFileSync(caFile, 'utf8') });
  const apiserver = await startComponent(
    ground.warden,
    {
      name: 'kube-apiserver',
      command: ground.binaries['kube-apiserver'],
      args: apiserverArgs(dir, address, port, etcd.url),
      logFile: join(ground.dir, 'kube-apiserver.log'),
      readyWithinMs: READY_WITHIN_MS,
      // Not there yet, no certificate yet, not all checks passed yet: all mean ask again.
      ready: (signal) =>
        api({ method: 'GET', path: '/readyz', signal }).then(
          (answer) => answer.status === 200,
          () => false,
        ),
    },
    ground.signal,
  );
  const path = (user: KubeUser): string => join(dir, `${user}.kubeconfig`);
  for (const user of KUBE_USER_NAMES)
    writeFileSync(path(user), kubeconfigText({ url, caFile, user, token: tokens[user] }), { mode: 0o600 });
  return { url, caFile, token: (user) => tokens[user], kubeconfig: path, etcd: etcd.component, apiserver, api };
}
