import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../playground/cilium/random.ts';
import { type Clients, findClients } from '../../playground/cluster/binaries.ts';
import type { ConfigOptions } from '../../playground/rig/config.ts';
import { type Around, type Rig, startRig } from '../../playground/rig/rig.ts';
import { rest } from '../../playground/scenarios/play.ts';
import { CANARY, Scene } from '../../playground/scenarios/scene.ts';
import { approve } from '../../playground/scenarios/stories/canary.ts';
import { parsePayloadKeys } from '../../src/temporal/codec.ts';
import { dataConverterOf } from '../../src/temporal/connection.ts';
import { blocksOf, scriptOf, typedIn } from '../install/page.ts';
import { type Here, podOf } from '../install/pod.ts';
import { applyTo } from '../manifests/apply.ts';
import { pathOf, textOf } from '../manifests/files.ts';

/**
 * docs/install.md, followed literally: its commands, its values, what it types in Slack. Other than on a cluster: addresses of the playground's servers,
 * a SQLite file instead of Postgres, and processes of this machine instead of pods, which are given what the API server has for them.
 */
const stop = new AbortController();
const { signal } = stop;
const run = promisify(execFile);
const blocks = blocksOf(textOf('docs/install.md'));
const root = fileURLToPath(new URL('../../', import.meta.url));
const said: string[] = [];
let clients: Clients;
let scratch: string;
let rig: Rig;
let installed: Promise<void> | undefined;
/** What the page has Temporal's payloads encrypted with. */
let payloadKey = '';

/** As Cilium's own installation leaves it. */
async function relaySecret({ stack }: Around, { hubble }: ConfigOptions): Promise<void> {
  const base64 = async (path: string): Promise<string> => (await readFile(path)).toString('base64');
  const { caFile, certFile, keyFile } = hubble.tls;
  const data = { 'ca.crt': await base64(caFile), 'tls.crt': await base64(certFile), 'tls.key': await base64(keyFile) };
  const metadata = { name: 'hubble-relay-client-certs', namespace: 'kube-system' };
  expect(await applyTo(stack.kube.api, { apiVersion: 'v1', kind: 'Secret', metadata, data }, { signal })).toBe('ok');
}

/** The configuration's texts that are others here: where servers listen. */
function replaced(options: ConfigOptions): Here['replaced'] {
  const { hubble, gatewayUrl, kubeconfig, prometheus, temporal } = options;
  const agents = 'agents' in hubble ? hubble.agents : [];
  return [
    { from: 'inCluster: true', to: `kubeconfig: ${kubeconfig}` },
    { from: 'agents: nodes', to: `agents: ${JSON.stringify(agents)}` },
    {
      from: 'prometheus: http://prometheus.monitoring:9090',
      to: `prometheus: ${prometheus}\n    probe: { gateways: { backend/mesh: "${gatewayUrl}" } }`,
    },
    { from: 'address: temporal-frontend.temporal:7233', to: `address: ${temporal.address}` },
  ];
}

async function follow(options: ConfigOptions, around: Around): Promise<Here> {
  const { stack, slackApp } = around;
  const admin = stack.kube.kubeconfig('admin');
  const env = { SLACK_API_URL: options.slackApi, DATABASE_URL: `sqlite:${options.database}`, MESHOPS_REPLICAS: '1' };
  const here: Here = { kubectl: clients.kubectl, kubeconfig: admin, dir: join(scratch, 'pods'), replaced: replaced(options), env };
  installed ??= (async () => {
    await relaySecret(around, options);
    const bin = join(scratch, 'bin');
    const work = join(scratch, 'work');
    await mkdir(bin);
    await mkdir(work);
    await symlink(clients.helm, join(bin, 'helm'));
    await symlink(dirname(pathOf('charts/meshops')), join(work, 'charts'));
    await writeFile(join(scratch, 'here.json'), JSON.stringify(here));
    // Only what needs a kubelet is done here.
    const exec = `exec ${process.execPath} ${join(root, 'test/install/exec.ts')} ${join(scratch, 'here.json')} "$@"`;
    await writeFile(join(bin, 'kubectl'), `#!/bin/bash\n[[ " $* " == *" exec "* ]] && ${exec}\nexec ${clients.kubectl} "$@"\n`);
    await chmod(join(bin, 'kubectl'), 0o755);
    const secrets = {
      SLACK_BOT_TOKEN: slackApp.botToken,
      SLACK_APP_TOKEN: slackApp.appToken,
      DATABASE_URL: 'postgres://meshops:x@postgres:5432/meshops',
    };
    const followed = run('bash', ['-c', scriptOf(blocks)], {
      cwd: work,
      maxBuffer: 1 << 24,
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: work, KUBECONFIG: admin, ...secrets },
    });
    const { stdout } = await followed.catch((error: { readonly stdout: string; readonly stderr: string }) => {
      throw new Error(`${error.stdout}\n${error.stderr}`, { cause: 'the page could not be followed' });
    });
    said.push(stdout);
  })();
  await installed;
  return here;
}

/** Installs, then gives the process what its pod is given; only its ports are its own, as a pod's are. */
async function asThePage(file: string, options: ConfigOptions, around: Around): Promise<Readonly<Record<string, string>>> {
  const here = await follow(options, around);
  const role = file.includes('-worker-') ? 'worker' : 'bot';
  const { args, env, configFile } = await podOf(`meshops-${role}`, here);
  payloadKey = env['MESHOPS_PAYLOAD_KEY'] ?? '';
  expect(args).toEqual([role, '--config', '/etc/meshops/config/meshops.yaml']);
  const ports = `http: { port: ${options.httpPort}, metricsPort: ${options.metricsPort} }\n`;
  await writeFile(file, `${await readFile(configFile, 'utf8')}\n${ports}`);
  return env;
}

describe('docs/install.md', () => {
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'meshops-install-'));
    clients = await findClients({ env: process.env, os: process.platform, arch: process.arch, signal, progress: () => undefined });
    rig = await startRig({
      signal,
      progress: () => undefined,
      preset: 'ideal',
      seed: 1,
      pace: 'fast',
      split: true,
      socketMode: true,
      rights: false,
      writeConfig: asThePage,
    });
    await rest(rig);
  });
  afterAll(async () => {
    await rig?.stop();
    stop.abort();
    await rm(scratch, { recursive: true, force: true });
  });

  it('leads to an installation in which doctor misses nothing', () => {
    const text = said.join('\n');
    expect(text).toContain('secret/meshops-hubble created');
    expect(text).toContain('deployment "meshops-worker" successfully rolled out');
    expect(text).toContain('Everything that meshops needs is there.');
    expect(text).not.toContain('✗');
  });

  it('and from there to a canary that is rolled back', async () => {
    const [canary = '', rollback = '', ...more] = typedIn(blocks);
    expect(more).toEqual([]);
    // Whoever looks into Temporal needs the key.
    const { connection, options } = rig.temporal;
    const dataConverter = dataConverterOf({ keys: parsePayloadKeys(payloadKey) });
    const temporal = new Client({ connection, namespace: options.namespace, dataConverter });
    const scene = new Scene({ ...rig, temporal }, createRandom(1), Date.now());
    const operation = await scene.begin(canary);
    await approve(operation);
    await operation.phase('watching');
    expect(await scene.weight(CANARY)).toBe(10);
    expect((await scene.type(rollback)).ok).toBe(true);
    expect(await operation.result()).toMatchObject({ kind: 'rolled-back', restoredExactly: true });
    expect(await scene.weight(CANARY)).toBe(0);
    expect(operation.root().text + JSON.stringify(operation.root().blocks)).toContain('exactly as before');
  });
});
