import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helmOf } from '../../playground/chart/render.ts';
import { type Clients, findClients } from '../../playground/cluster/binaries.ts';
import { type Stack, startStack } from '../../playground/cluster/stack.ts';
import { connectCluster } from '../../src/clients/kubernetes/cluster.ts';
import { kubeConfigOf } from '../../src/connect/kubernetes.ts';
import { keepingOf } from '../../src/domain/encryption/keeping.ts';
import { readEncryption } from '../../src/domain/encryption/reading.ts';
import { readEncryptionFacts } from '../../src/reading/nodes/encryption.ts';

/** What status says of Helm, against what the real Helm does to a real API server. */
const stop = new AbortController();
const { signal } = stop;
const scratch = mkdtempSync(join(tmpdir(), 'meshops-helm-'));
const chart = join(scratch, 'cilium');
let stack: Stack;
let clients: Clients;

// As Cilium's chart: the key of a mode is there where the mode is on, and nowhere else.
const TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata:
  name: cilium-config
  namespace: kube-system
data:
  routing-mode: native
  generation: {{ .Values.generation | quote }}
{{- if .Values.wireguard }}
  enable-wireguard: "true"
{{- end }}
`;

beforeAll(async () => {
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: cilium\nversion: 1.0.0\n');
  writeFileSync(join(chart, 'values.yaml'), 'generation: 1\nwireguard: false\n');
  writeFileSync(join(chart, 'templates', 'config.yaml'), TEMPLATE);
  const progress = () => undefined;
  clients = await findClients({ env: process.env, os: process.platform, arch: process.arch, signal, progress });
  stack = await startStack({ signal, progress });
});
afterAll(async () => {
  await stack?.stop();
  stop.abort();
  rmSync(scratch, { recursive: true, force: true });
});

const byHelm = (args: readonly string[]): Promise<string> => helmOf(clients.helm, args, scratch);

const CONFIG = '/api/v1/namespaces/kube-system/configmaps/cilium-config';

async function byHand(value: string | null): Promise<void> {
  const path = `${CONFIG}?fieldManager=kubectl-patch`;
  const body = JSON.stringify({ data: { 'enable-wireguard': value } });
  const answer = await stack.kube.api({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal });
  expect(answer.status).toBe(200);
}

async function live(): Promise<string | undefined> {
  const answer = await stack.kube.api({ method: 'GET', path: CONFIG, signal });
  return (JSON.parse(answer.body) as { data: Record<string, string> }).data['enable-wireguard'];
}

async function said(): Promise<string> {
  const cluster = connectCluster(kubeConfigOf({ kubernetes: { kubeconfig: stack.kube.kubeconfig('admin') } } as never));
  try {
    return keepingOf(readEncryption(await readEncryptionFacts(cluster, 'demo', Date.now(), signal))).kind;
  } finally {
    cluster.close();
  }
}

describe.each([
  ['server-side, its default', 'true'],
  ['client-side, as Helm 3', 'false'],
])('Helm 4, %s', (_name, serverSide) => {
  let generation = 1;
  const release = (command: 'install' | 'upgrade', wireguard: boolean): Promise<string> =>
    byHelm([
      command,
      'cilium',
      chart,
      '--namespace=kube-system',
      `--kubeconfig=${stack.kube.kubeconfig('admin')}`,
      `--server-side=${serverSide}`,
      `--set=wireguard=${wireguard}`,
      `--set=generation=${(generation += 1)}`,
    ]);

  it('keeps what was turned on by hand at an upgrade', async () => {
    await release('install', false);
    expect(await said()).toBe('held');
    await byHand('true');
    expect(await said()).toBe('not-in-values');
    await release('upgrade', false);
    expect(await live()).toBe('true');
  });

  it('holds what its values turn on', async () => {
    await byHand(null);
    await release('upgrade', true);
    expect(await live()).toBe('true');
    expect(await said()).toBe('held');
  });

  it('writes its own value again over what was turned off by hand, or refuses to upgrade', async () => {
    await byHand('false');
    expect(await said()).toBe('may-come-back');
    if (serverSide === 'true') {
      await expect(release('upgrade', true)).rejects.toThrow(/conflict with "kubectl-patch".*enable-wireguard/s);
      expect(await live()).toBe('false');
    } else {
      await release('upgrade', true);
      expect(await live()).toBe('true');
    }
  });

  it('writes a key again that was taken out by hand, which nothing in the ConfigMap tells: status says nothing then', async () => {
    await byHand(null);
    expect(await said()).toBe('held');
    await release('upgrade', true);
    expect(await live()).toBe('true');
    await byHelm(['uninstall', 'cilium', '--namespace=kube-system', `--kubeconfig=${stack.kube.kubeconfig('admin')}`]);
  });
});
